import CLinux
import Glibc

/// Who this process is to a server that asks the operating system (`peer` in pg_hba.conf, Debian's default).
enum PeerIdentity {
    /// Does `connect`, which must open the connection before it returns, as the server's own user where that is who
    /// logs in: root that administers a host need not be in pg_ident.conf.
    ///
    /// The kernel notes the effective user of the thread that calls connect(2) (`SO_PEERCRED`), so only that thread
    /// changes, and only while it connects.
    static func connecting<Result>(_ parameters: ConnectionParameters, _ connect: () -> Result) -> Result {
        guard let user = serverUser(parameters), linux_set_effective_user(user) == 0 else { return connect() }
        let result = connect()
        let isBack = linux_set_effective_user(0) == 0
        precondition(isBack, "the saved user of this thread is root")
        return result
    }

    /// The owner of the server's socket, when this process is root and the owner has the name that logs in.
    private static func serverUser(_ parameters: ConnectionParameters) -> uid_t? {
        guard geteuid() == 0, parameters.host.hasPrefix("/") else { return nil }
        var status = stat()
        guard unsafe stat("\(parameters.host)/.s.PGSQL.\(parameters.port)", &status) == 0, status.st_uid != 0 else {
            return nil
        }
        return name(of: status.st_uid) == parameters.user ? status.st_uid : nil
    }

    private static func name(of user: uid_t) -> String? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let count = buffer.count
        guard unsafe getpwuid_r(user, &entry, &buffer, count, &found) == 0, unsafe found != nil else { return nil }
        return unsafe String(cString: entry.pw_name)
    }
}
