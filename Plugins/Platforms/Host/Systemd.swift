import FleetPluginAPI
import ProcessRunner

/// `systemctl`, as commands whose argv can be tested without a systemd.
enum Systemd {
    static func start(_ unit: String) -> Command { systemctl(["start", "--no-block", unit]) }
    static func stop(_ unit: String) -> Command { systemctl(["stop", "--no-block", unit]) }
    /// Takes back `failed`, which makes systemd refuse a start after too many.
    static func resetFailed(_ unit: String) -> Command { systemctl(["reset-failed", unit]) }
    /// Prints `active`, `inactive`, `failed`, `activating`, `deactivating`; its exit code says no more.
    static func state(_ unit: String) -> Command { systemctl(["is-active", unit]) }
    static func log(_ unit: String, lines: Int) -> Command {
        Command(
            ["journalctl", "--no-pager", "--output=cat", "--lines=\(lines)", "--unit=\(unit)"], deadline: .seconds(20))
    }

    private static func systemctl(_ arguments: [String]) -> Command {
        Command(["systemctl", "--no-pager", "--no-ask-password"] + arguments, deadline: .seconds(30))
    }
}
