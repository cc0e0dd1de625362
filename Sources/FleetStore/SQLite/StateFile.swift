import FleetPluginAPI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The file that holds the state, before SQLite sees it.
enum StateFile {
    /// Makes the missing folders above (mode 0700) and the file (mode 0600). SQLite gives `-wal` and `-shm` the same
    /// mode as the file.
    ///
    /// An existing file is not even opened: closing any descriptor of it would drop the POSIX locks that SQLite holds
    /// on it elsewhere in this process.
    static func create(_ path: String) throws {
        try createFolder(folder(of: path), for: path)
        let descriptor = retryingOnInterrupt { open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600) }
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            throw fault(errno, "the state file \(path) cannot be made", path)
        }
    }

    /// Runs `body` while no other process or task opens a state file in the same folder.
    ///
    /// The kernel drops the lock when the process dies. It is on the folder, so that no file is left behind and
    /// SQLite's own locks are not touched.
    static func withOpeningLock<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let descriptor = retryingOnInterrupt { open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw fault(errno, "the folder of the state file \(path) cannot be opened", path) }
        defer { close(descriptor) }
        // Polled, because a blocking flock(2) has no deadline.
        for _ in 0..<(SQLiteStore.busySeconds * 200) {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return try body() }
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw fault(errno, "the folder of the state file \(path) cannot be locked", path)
            }
            usleep(5000)
        }
        throw FleetError(
            .timedOut, "the state file \(path) could not be opened within \(SQLiteStore.busySeconds) s",
            cause: "another process is opening or upgrading it")
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func createFolder(_ folder: String, for path: String) throws {
        if mkdir(folder, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, folder != self.folder(of: folder) else {
            throw fault(errno, "the folder \(folder) for the state file \(path) cannot be made", path)
        }
        try createFolder(self.folder(of: folder), for: path)
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw fault(errno, "the folder \(folder) for the state file \(path) cannot be made", path)
        }
    }

    private static func retryingOnInterrupt(_ call: () -> Int32) -> Int32 {
        var result = call()
        while result < 0, errno == EINTR { result = call() }
        return result
    }

    private static func fault(_ number: Int32, _ message: String, _ path: String) -> FleetError {
        let cause = String(cString: strerror(number))
        switch number {
        case EACCES, EPERM, EROFS:
            return FleetError(
                .denied, message, cause: cause,
                hint: "run fleet as a user who may write there, or name another path under `state` in fleet.yaml")
        case ENOSPC, EDQUOT:
            return FleetError(.exhausted, message, cause: cause, hint: "make room on that file system")
        default:
            return FleetError(.failed, message, cause: cause, hint: "check the path under `state` in fleet.yaml")
        }
    }
}
