import CLinux
import FleetPluginAPI
import Glibc

extension BlockingDisk {
    /// Writes a whole file: it has the new content or the old, never a part, and the new one is durable on return.
    ///
    /// - Throws: `alreadyExists` where `options.replaces` is false and the path is taken, `exhausted`, `denied`,
    ///   `notFound` for a missing parent directory that is not to be made.
    public static func write(_ bytes: [UInt8], to path: String, _ options: WriteOptions = WriteOptions()) throws {
        let writer = try FileWriter(path, options)
        try writer.append(bytes)
        try writer.commit()
    }

    /// Adds bytes to the end of a file in one write, and waits until they are durable. The file is made when missing.
    ///
    /// Whole records of several processes do not mix on a local file system (`O_APPEND`).
    public static func append(_ bytes: [UInt8], to path: String, _ options: WriteOptions = WriteOptions()) throws {
        try checkPath(path)
        let isNew = try status(path) == nil
        let file = try inParent(of: path, options) {
            try Descriptor(opening: path, O_WRONLY | O_APPEND | O_CREAT, mode: mode_t(options.mode))
        }
        if isNew { try setAttributes(of: file.number, mode: options.mode, owner: options.owner, path) }
        try bytes.withUnsafeBytes { try writeAll($0, to: file.number, path) }
        try systemCall("make \(path) durable") { fsync(file.number) }
        if isNew { try syncDirectory(parentPath(of: path)) }
    }

    /// Makes a directory and its missing parents, durably. Done as well when it is there, and when others make and
    /// remove the same ones meanwhile.
    ///
    /// - Parameter owner: Whom the ones that were made belong to; existing ones are not changed.
    public static func makeDirectories(_ path: String, mode: UInt32 = 0o750, owner: FileOwner? = nil) throws {
        try checkPath(path)
        try inDirectory(parentPath(of: path), mode: mode, owner: owner) {
            try makeDirectory(path, mode: mode, owner: owner)
        }
    }

    /// Does what needs a directory, and makes that when it is missing. Who prunes empty directories may take it away
    /// in between, so it is tried again, but not for ever: a file system without room for directories, as /proc, says
    /// of each that its parent is missing.
    static func inDirectory<Result: ~Copyable>(
        _ directory: String, mode: UInt32, owner: FileOwner?, _ work: () throws -> Result
    ) throws -> Result {
        for _ in 1..<100 {
            do {
                return try work()
            } catch let error as FleetError where error.code == .notFound && parentPath(of: directory) != directory {
                try makeDirectories(directory, mode: mode, owner: owner)
            }
        }
        return try work()
    }

    /// Does what needs the parent of a path, which is made as the options of a write say.
    static func inParent<Result: ~Copyable>(
        of path: String, _ options: WriteOptions, _ work: () throws -> Result
    ) throws -> Result {
        guard let mode = options.directoryMode else { return try work() }
        return try inDirectory(parentPath(of: path), mode: mode, owner: options.owner, work)
    }

    private static func makeDirectory(_ path: String, mode: UInt32, owner: FileOwner?) throws {
        if mkdir(path, mode_t(mode)) != 0 {
            let code = errno
            if code == EEXIST || code == EISDIR {
                if try status(path, followingLinks: true)?.kind == .directory { return }
                if try status(path) != nil {
                    throw FleetError(
                        .alreadyExists, "cannot make the directory \(path)", cause: "something else is there")
                }
            }
            // Gone again since: as good as never there.
            throw FleetError(errno: code == EEXIST ? ENOENT : code, "cannot make the directory \(path)")
        }
        let made = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
        try setAttributes(of: made.number, mode: mode, owner: owner, path)
        try systemCall("make \(path) durable") { fsync(made.number) }
        try syncDirectory(parentPath(of: path))
    }

    public static func setMode(_ mode: UInt32, of path: String) throws {
        try checkPath(path)
        try systemCall("set the mode of \(path)") { chmod(path, mode_t(mode)) }
    }

    /// Sets the owner of a path itself: a symbolic link is not followed.
    public static func setOwner(_ owner: FileOwner, of path: String) throws {
        try checkPath(path)
        try systemCall("set the owner of \(path)") { lchown(path, owner.user, owner.group) }
    }

    /// Makes names in a directory durable: what was created, renamed or removed there.
    public static func syncDirectory(_ path: String) throws {
        let directory = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
        try systemCall("make the directory \(path) durable") { fsync(directory.number) }
    }

    /// Makes everything on the file system that holds `path` durable.
    public static func syncFileSystem(of path: String) throws {
        let descriptor = try Descriptor(opening: path, O_RDONLY)
        try systemCall("make the file system of \(path) durable") { linux_syncfs(descriptor.number) }
    }

    static func setAttributes(of file: Int32, mode: UInt32, owner: FileOwner?, _ path: String) throws {
        if let owner {
            try systemCall("set the owner of \(path)") { fchown(file, owner.user, owner.group) }
        }
        // After the owner, whose change clears some bits, and against the umask.
        try systemCall("set the mode of \(path)") { fchmod(file, mode_t(mode)) }
    }

    static func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            let count = try systemCall("write \(path)") { Glibc.write(file, part.baseAddress, part.count) }
            rest = rest.dropFirst(count)
        }
    }
}
