import DurableFiles
import FleetPluginAPI
import PostgresFormats

/// How the restored server is told to recover: a signal file, and settings in `postgresql.auto.conf`.
struct RecoveryConfiguration: Hashable, Sendable {
    let settings: [(name: String, value: String)]
    let isStandby: Bool

    static func == (left: RecoveryConfiguration, right: RecoveryConfiguration) -> Bool {
        left.isStandby == right.isStandby && left.settings.elementsEqual(right.settings) { $0 == $1 }
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(settings.map(\.name))
    }

    init(_ request: RestoreTaskRequest) {
        let recovery = request.restore.recovery
        var settings: [(String, String)] = [
            ("restore_command", request.restoreCommand), ("recovery_target_timeline", String(recovery.timeline)),
            // Without it a pause at the target is a shutdown.
            ("hot_standby", "on"),
        ]
        switch recovery.stop {
        case .time(let time): settings.append(("recovery_target_time", Self.text(time)))
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
        self.settings = settings
    }

    /// What an earlier recovery may have left in the file.
    static let stale = [
        "restore_command", "recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_xid",
        "recovery_target_name", "recovery_target_inclusive", "recovery_target_action", "recovery_target_timeline",
    ]

    /// As PostgreSQL reads a `timestamptz` under any DateStyle and TimeZone: `2025-12-18 10:30:00.000001+00`.
    private static func text(_ time: Timestamp) -> String {
        let text = time.description
        return text.replacing("T", with: " ").replacing("Z", with: "+00")
    }

    /// Writes both files. Blocks. Returns the names of the settings.
    func write(in target: RestoreTarget) throws -> [String] {
        let path = target.path(AutoConfiguration.fileName)
        let status = try BlockingDisk.status(path)
        var configuration = AutoConfiguration(try BlockingDisk.readIfPresent(path) ?? [])
        for name in Self.stale { configuration.remove(name) }
        for (name, value) in settings { configuration.set(name, value) }
        let options = WriteOptions(mode: status?.mode ?? 0o600, owner: target.owner)
        try BlockingDisk.write(configuration.bytes, to: path, options)
        let (signal, other) = isStandby ? ("standby", "recovery") : ("recovery", "standby")
        try BlockingDisk.remove(target.path("\(other).signal"))
        try BlockingDisk.write([], to: target.path("\(signal).signal"), options)
        return settings.map(\.name)
    }
}
