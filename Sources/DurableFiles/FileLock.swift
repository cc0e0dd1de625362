import FleetPluginAPI
import Glibc
import Synchronization

/// An advisory lock (`flock`) on a file of its own: held until released, until this object goes away or until the
/// process ends, however it ends.
///
/// Locks do not reach over machines unless the file system says so (NFS does since Linux 2.6.12).
public final class FileLock: Sendable {
    public enum Mode: Sendable {
        case exclusive, shared
    }

    public let path: String
    private let file: Mutex<Int32?>

    private init(path: String, file: Int32) {
        self.path = path
        self.file = Mutex(file)
    }

    deinit {
        release()
    }

    /// Takes the lock, waiting for it as long as `deadline`. The file is made when missing and never removed: a lock
    /// on a removed file protects nothing.
    ///
    /// - Throws: `conflict` when another holds it past the deadline, naming its pid where it is known.
    public static func acquire(
        _ path: String, mode: Mode = .exclusive, deadline: Duration = .zero, options: WriteOptions = WriteOptions(),
        on executor: DiskExecutor = .shared
    ) async throws -> FileLock {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: deadline)
        var pause = Duration.milliseconds(5)
        while true {
            if let lock = try await executor.run({ try attempt(path, mode: mode, options: options) }) { return lock }
            guard clock.now < end else {
                let holder = try? await executor.run { try Self.holder(of: path) }
                throw FleetError(
                    .conflict, "\(path) is locked", cause: holder.map { "held by process \($0)" },
                    hint: "wait until the other fleet process is done, or look what it is doing")
            }
            try await clock.sleep(until: min(clock.now.advanced(by: pause), end))
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    /// Whether somebody holds it exclusively now. Taken for a moment to find out, shared, so that those who ask do not
    /// see each other; who takes it exclusively needs a deadline above zero for that.
    public static func isHeld(_ path: String, on executor: DiskExecutor = .shared) async throws -> Bool {
        try await executor.run {
            guard try BlockingDisk.status(path) != nil else { return false }
            guard let lock = try attempt(path, mode: .shared, options: WriteOptions(directoryMode: nil)) else {
                return true
            }
            lock.release()
            return false
        }
    }

    /// Gives the lock back. Safe to repeat.
    public func release() {
        file.withLock { file in
            guard let number = file else { return }
            // Unlocked by name: a child being started may hold a copy of the descriptor for a moment.
            flock(number, LOCK_UN)
            close(number)
            file = nil
        }
    }

    private static func attempt(_ path: String, mode: Mode, options: WriteOptions) throws -> FileLock? {
        try checkPath(path)
        let isNew = try BlockingDisk.status(path) == nil
        let number = try BlockingDisk.inParent(of: path, options) {
            try systemCall("open the lock \(path)") {
                open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(options.mode))
            }
        }
        if flock(number, (mode == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 {
            let code = errno
            close(number)
            if code == EWOULDBLOCK || code == EINTR { return nil }
            throw FleetError(errno: code, "cannot lock \(path)")
        }
        let lock = FileLock(path: path, file: number)
        if isNew { try BlockingDisk.setAttributes(of: number, mode: options.mode, owner: options.owner, path) }
        if mode == .exclusive {
            let text = Array("\(getpid())\n".utf8)
            ftruncate(number, 0)
            _ = pwrite(number, text, text.count, 0)
        }
        return lock
    }

    private static func holder(of path: String) throws -> Int32? {
        let text = String(decoding: try BlockingDisk.read(path, limit: 64), as: UTF8.self)
        return Int32(text.prefix { $0.isASCII && $0.isNumber })
    }
}
