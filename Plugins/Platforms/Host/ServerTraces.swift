import Glibc

/// Traces that a server leaves outside its processes.
enum ServerTraces {
    /// How many processes are attached to the shared memory that `postmaster.pid` names; 0 when it is gone or is
    /// another's by now.
    static func attachments(key: Int, id: Int) -> Int {
        var status = shmid_ds()
        guard let id = Int32(exactly: id), shmctl(id, IPC_STAT, &status) == 0 else { return 0 }
        // PostgreSQL takes keys from the data directory's inode; an id may have been given to somebody else.
        guard status.shm_perm.__key == Int32(truncatingIfNeeded: key) else { return 0 }
        return Int(status.shm_nattch)
    }

    /// Whether somebody listens on the Unix socket of a port in a directory.
    static func isListening(port: Int, in directory: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(socketPath(port: port, in: directory).utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { return false }
        defer { close(number) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // EAGAIN: its queue is full, so there is one.
        return result == 0 || errno == EAGAIN
    }

    static func socketPath(port: Int, in directory: String) -> String { "\(directory)/.s.PGSQL.\(port)" }
}
