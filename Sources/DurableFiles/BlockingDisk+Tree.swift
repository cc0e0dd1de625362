import CLinux
import FleetPluginAPI
import Glibc

extension BlockingDisk {
    /// Removes a file or symbolic link, durably. Returns whether there was one.
    @discardableResult
    public static func remove(_ path: String) throws -> Bool {
        try checkPath(path)
        guard unlink(path) == 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { return false }
            throw FleetError(errno: code, "cannot remove \(path)")
        }
        try syncRemoval(of: path)
        return true
    }

    /// Makes a symbolic link, durably.
    ///
    /// - Throws: `alreadyExists` when the path is taken.
    public static func makeLink(_ path: String, to destination: String) throws {
        try checkPath(path)
        try systemCall("link \(path) to \(destination)") { symlink(destination, path) }
        try syncDirectory(parentPath(of: path))
    }

    /// Removes an empty directory. Returns whether there was one.
    ///
    /// - Throws: `alreadyExists` when something is in it.
    @discardableResult
    public static func removeEmptyDirectory(_ path: String) throws -> Bool {
        try checkPath(path)
        guard rmdir(path) == 0 else {
            let code = errno
            if code == ENOENT { return false }
            throw FleetError(errno: code, "cannot remove the directory \(path)")
        }
        try syncRemoval(of: path)
        return true
    }

    /// Makes it durable that a name is gone, which it is as well when somebody removed the directory that it was in.
    private static func syncRemoval(of path: String) throws {
        do {
            try syncDirectory(parentPath(of: path))
        } catch let error as FleetError where error.code == .notFound {
            return
        }
    }

    /// Removes a file, or a directory with all that is in it. Symbolic links are removed, never followed. Returns
    /// whether there was anything.
    @discardableResult
    public static func removeTree(_ path: String) throws -> Bool {
        guard let status = try status(path) else { return false }
        guard status.kind == .directory else { return try remove(path) }
        let name = lastName(of: path)
        guard !name.isEmpty, name != ".", name != ".." else {
            throw FleetError(.refused, "refusing to remove \(path)", hint: "name the directory itself")
        }
        let parent = parentPath(of: path)
        let holder = try Descriptor(opening: parent, O_RDONLY | O_DIRECTORY)
        try removeDirectory(name, in: holder.number, path)
        try systemCall("make the directory \(parent) durable") { fsync(holder.number) }
        return true
    }

    /// Removes all that is in a directory and keeps the directory itself.
    public static func removeContents(of path: String) throws {
        for entry in try list(path, followingLinks: true) { try removeTree("\(path)/\(entry.name)") }
    }

    /// Renames a file or directory, durably, within one file system.
    ///
    /// - Throws: `alreadyExists` when `replaces` is false and `destination` is taken (or a non-empty directory).
    public static func rename(_ path: String, to destination: String, replaces: Bool = false) throws {
        try checkPath(path)
        try checkPath(destination)
        if replaces {
            try systemCall("rename \(path) to \(destination)") { Glibc.rename(path, destination) }
        } else if linux_rename_noreplace(path, destination) != 0 {
            switch errno {
            case EINVAL, ENOSYS, EOPNOTSUPP:
                // No RENAME_NOREPLACE here: rename itself never replaces a non-empty directory.
                guard try status(destination) == nil else {
                    throw FleetError(.alreadyExists, "\(destination) exists already")
                }
                try systemCall("rename \(path) to \(destination)") { Glibc.rename(path, destination) }
            case let code: throw FleetError(errno: code, "cannot rename \(path) to \(destination)")
            }
        }
        let (source, target) = (parentPath(of: path), parentPath(of: destination))
        try syncDirectory(target)
        if source != target { try syncDirectory(source) }
    }

    private static func removeDirectory(_ name: String, in parent: Int32, _ path: String) throws {
        let directory = try Descriptor(opening: name, in: parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, as: path)
        for entry in try names(in: directory.number, path) {
            if unlinkat(directory.number, entry, 0) == 0 { continue }
            switch errno {
            case ENOENT: continue
            case EISDIR: try removeDirectory(entry, in: directory.number, "\(path)/\(entry)")
            case let code: throw FleetError(errno: code, "cannot remove \(path)/\(entry)")
            }
        }
        try systemCall("remove the directory \(path)") { unlinkat(parent, name, AT_REMOVEDIR) }
    }

    /// Read whole before anything is removed: removing while reading may skip names.
    private static func names(in directory: Int32, _ path: String) throws -> [String] {
        let copy = try systemCall("list \(path)") { openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(copy) else {
            let code = errno
            close(copy)
            throw FleetError(errno: code, "cannot list \(path)")
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        let code = errno
        guard code == 0 else { throw FleetError(errno: code, "cannot list \(path)") }
        return names
    }
}
