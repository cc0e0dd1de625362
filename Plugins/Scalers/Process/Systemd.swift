import FleetPluginAPI
import ProcessRunner

/// `systemctl`, as commands whose argv can be tested without a systemd.
enum Systemd {
    static func start(_ unit: String) -> Command { systemctl(["start", unit]) }
    static func stop(_ unit: String) -> Command { systemctl(["stop", "--no-block", unit]) }
    static func show(_ unit: String) -> Command {
        systemctl(["show", "--property=LoadState,ActiveState,SubState,UnitFileState,TasksCurrent,TriggeredBy", unit])
    }

    private static func systemctl(_ arguments: [String]) -> Command {
        Command(["systemctl", "--no-pager", "--no-ask-password"] + arguments, deadline: .seconds(120))
    }
}

/// What systemd says of a unit.
struct UnitState: Hashable, Sendable {
    var values: [String: String]

    /// From `systemctl show`: a line `Name=value` for each property.
    init(parsing text: String) {
        values = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
    }

    var exists: Bool { values["LoadState"] == "loaded" || values["LoadState"] == "masked" }
    var isActive: Bool { ["active", "reloading", "activating"].contains(values["ActiveState"]) }
    var isReady: Bool { values["ActiveState"] == "active" && values["SubState"] != "exited" }
    /// Nothing runs and nothing is about to: no process is left in its control group either.
    var isGone: Bool {
        ["inactive", "failed"].contains(values["ActiveState"])
            && (values["TasksCurrent"].flatMap { UInt64($0) } ?? 0) == 0
    }
    /// `enabled`, `disabled`, `static`, `masked`, …
    var enablement: String { values["UnitFileState"] ?? "" }
    /// Sockets, timers and paths that may start it again.
    var triggers: [String] { (values["TriggeredBy"] ?? "").split(separator: " ").map(String.init) }
}
