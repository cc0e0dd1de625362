import CLinux
import FleetPluginAPI
import Glibc
import Synchronization

/// A file being written under a temporary name; it gets its own name when it is whole and durable.
///
/// The calls block. Exactly one of `commit` and `abandon` ends it; without either the temporary file is removed when
/// the writer goes away.
public final class FileWriter: Sendable {
    public let path: String
    private let temporaryPath: String
    private let options: WriteOptions
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var file: Descriptor?
        var isNamed = true
    }

    /// Begins the file.
    ///
    /// - Throws: `alreadyExists` early where `options.replaces` is false; `commit` decides it for certain.
    public init(_ path: String, _ options: WriteOptions = WriteOptions()) throws {
        try checkPath(path)
        if !options.replaces, try BlockingDisk.status(path) != nil { throw Self.taken(path) }
        let directory = parentPath(of: path)
        let temporaryPath = "\(directory)/\(TemporaryName.make(for: lastName(of: path)))"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let file = try BlockingDisk.inParent(of: path, options) {
            try Descriptor(opening: temporaryPath, flags, mode: 0o600)
        }
        self.path = path
        self.temporaryPath = temporaryPath
        self.options = options
        state = Mutex(State(file: file))
        try BlockingDisk.setAttributes(
            of: state.withLock { $0.file?.number ?? -1 }, mode: options.mode, owner: options.owner, path)
    }

    deinit {
        abandon()
    }

    public func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try append($0) }
    }

    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            guard let file = state.file?.number else { throw FleetError(.failed, "\(path) is no longer being written") }
            try BlockingDisk.writeAll(bytes, to: file, path)
        }
    }

    /// Makes the content durable, gives it its name, and makes the name durable.
    ///
    /// - Throws: `alreadyExists` where `options.replaces` is false and the path is taken.
    public func commit() throws {
        try syncContent()
        try publish()
        try BlockingDisk.syncDirectory(parentPath(of: path))
    }

    /// Gives up: nothing is left of it. Does nothing after `commit`.
    public func abandon() {
        state.withLock { state in
            state.file = nil
            if state.isNamed { unlink(temporaryPath) }
            state.isNamed = false
        }
    }

    func syncContent() throws {
        try state.withLock { state in
            guard let file = state.file?.number else { throw FleetError(.failed, "\(path) is no longer being written") }
            try systemCall("make \(path) durable") { fsync(file) }
        }
    }

    func closeContent() {
        state.withLock { $0.file = nil }
    }

    func publish() throws {
        try state.withLock { state in
            state.file = nil
            if options.replaces {
                try systemCall("rename to \(path)") { rename(temporaryPath, path) }
            } else {
                try publishExclusively()
            }
            state.isNamed = false
        }
    }

    private func publishExclusively() throws {
        if linux_rename_noreplace(temporaryPath, path) == 0 { return }
        switch errno {
        case EEXIST: throw Self.taken(path)
        // File systems without RENAME_NOREPLACE (NFS) have links, which are as exclusive.
        case EINVAL, ENOSYS, EOPNOTSUPP:
            guard link(temporaryPath, path) == 0 else {
                throw errno == EEXIST ? Self.taken(path) : FleetError(errno: errno, "cannot rename to \(path)")
            }
            unlink(temporaryPath)
        case let code: throw FleetError(errno: code, "cannot rename to \(path)")
        }
    }

    private static func taken(_ path: String) -> FleetError {
        FleetError(.alreadyExists, "\(path) exists already")
    }
}
