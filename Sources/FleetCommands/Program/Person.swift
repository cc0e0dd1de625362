import FleetCoordinator
import FleetPluginAPI
import FleetStore
import Glibc
import ProcessRunner

/// Who gives this command, and the process that carries it out.
enum Person {
    static func current() async -> Operator {
        let host = hostName()
        let account = await UserAccount.current()
        // Who became root by sudo is the one to ask later.
        let name = Process.variable("SUDO_USER").map { "\($0) (as \(account.name))" } ?? account.name
        let identity = ProcessIdentity.current
        return Operator(
            name: "\(name)@\(host)",
            owner: LeaseOwner(
                host: host, bootID: identity?.boot ?? "", pid: getpid(), startTicks: identity?.startTicks ?? 0),
            isDead: { isDead($0, here: host) })
    }

    /// Certain only for processes of this host.
    static func isDead(_ owner: LeaseOwner, here host: String) -> Bool {
        guard owner.host == host else { return false }
        return !ProcessIdentity(pid: owner.pid, startTicks: owner.startTicks, boot: owner.bootID).isAlive
    }

    private static func hostName() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "localhost" }
        return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
