public import FleetPluginAPI

/// How a restored server is told to recover: settings in `postgresql.auto.conf`, and a signal file.
///
/// The same for every engine, so that a restore stops, waits and fails in the same way whoever laid the files down.
public struct RecoveryConfiguration: Hashable, Sendable {
    public let settings: [Setting]
    /// A standby replays all there is and waits to be promoted; the others recover to a target.
    public let isStandby: Bool

    public struct Setting: Hashable, Sendable {
        public var name: String
        public var value: String
    }

    /// What the settings stand between in the file.
    static let block = "fleet restore"

    /// - Parameter restoreCommand: the shell command for `restore_command`.
    public init(_ recovery: RecoverySettings, restoreCommand: String) {
        var settings: [(String, String)] = [
            ("restore_command", restoreCommand), ("recovery_target_timeline", String(recovery.timeline)),
            // Without it a pause at the target is a shutdown.
            ("hot_standby", "on"),
        ]
        switch recovery.stop {
        case .time(let time): settings.append(("recovery_target_time", time.postgresText))
        case .lsn(let lsn, let inclusive):
            settings.append(("recovery_target_lsn", lsn.description))
            settings.append(("recovery_target_inclusive", inclusive ? "on" : "off"))
        case .xid(let xid): settings.append(("recovery_target_xid", String(xid)))
        case .name(let name): settings.append(("recovery_target_name", name))
        case .immediate: settings.append(("recovery_target", "immediate"))
        case .endOfWAL:
            // What the source had as a standby must not act here.
            settings.append(("primary_conninfo", ""))
            settings.append(("archive_cleanup_command", ""))
        }
        isStandby = recovery.stop == .endOfWAL
        if !isStandby { settings.append(("recovery_target_action", "pause")) }
        if recovery.archivingOff { settings.append(("archive_mode", "off")) }
        for (name, value) in recovery.parameters?.settings ?? [] { settings.append((name, String(value))) }
        for (name, value) in recovery.settings.sorted(by: { $0.key < $1.key }) {
            settings.removeAll { $0.0 == name }
            settings.append((name, value))
        }
        self.settings = settings.map { Setting(name: $0.0, value: $0.1) }
    }

    /// What an earlier recovery may have left in the file.
    static let stale = [
        "restore_command", "recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_xid",
        "recovery_target_name", "recovery_target_inclusive", "recovery_target_action", "recovery_target_timeline",
    ]

    /// `postgresql.auto.conf` with these settings instead of what an earlier recovery left.
    public func applied(to file: [UInt8]) -> [UInt8] {
        var configuration = ConfigurationFile(file)
        configuration.removeBlock(Self.block)
        configuration.remove(Self.stale + settings.map(\.name))
        configuration.setBlock(Self.block, settings.map { ($0.name, $0.value) })
        return configuration.bytes
    }

    /// The empty file that must be there, and the one that must not.
    public var signalFiles: (present: String, absent: String) {
        isStandby ? ("standby.signal", "recovery.signal") : ("recovery.signal", "standby.signal")
    }
}
