import DurableFiles
import FleetPluginAPI
import PostgresFormats

/// How the restored server is told to recover: a signal file, and settings in `postgresql.auto.conf`.
struct RecoveryConfiguration: Sendable {
    let settings: [(name: String, value: String)]
    let isStandby: Bool

    /// What the settings stand between in the file.
    static let block = "fleet restore"

    init(_ request: RestoreTaskRequest) {
        let recovery = request.restore.recovery
        var settings: [(String, String)] = [
            ("restore_command", request.restoreCommand), ("recovery_target_timeline", String(recovery.timeline)),
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
        self.settings = settings
    }

    /// What an earlier recovery may have left in the file.
    static let stale = [
        "restore_command", "recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_xid",
        "recovery_target_name", "recovery_target_inclusive", "recovery_target_action", "recovery_target_timeline",
    ]

    /// Writes both files. Blocks. Returns the names of the settings.
    func write(in target: RestoreTarget) throws -> [String] {
        let path = target.path("postgresql.auto.conf")
        let status = try BlockingDisk.status(path)
        var configuration = ConfigurationFile(try BlockingDisk.readIfPresent(path) ?? [])
        configuration.removeBlock(Self.block)
        configuration.remove(Self.stale + settings.map(\.name))
        configuration.setBlock(Self.block, settings)
        let options = WriteOptions(mode: status?.mode ?? 0o600, owner: target.owner)
        try BlockingDisk.write(configuration.bytes, to: path, options)
        let (signal, other) = isStandby ? ("standby", "recovery") : ("recovery", "standby")
        try BlockingDisk.remove(target.path("\(other).signal"))
        try BlockingDisk.write([], to: target.path("\(signal).signal"), options)
        return settings.map(\.name)
    }
}
