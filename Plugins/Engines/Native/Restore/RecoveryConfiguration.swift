import DurableFiles
import FleetPluginAPI
import PostgresFormats

extension RecoveryConfiguration {
    init(_ request: RestoreTaskRequest) {
        self.init(request.restore.recovery, restoreCommand: request.restoreCommand)
    }

    /// Writes both files. Blocks. Returns the names of the settings.
    func write(in target: RestoreTarget) throws -> [String] {
        let path = target.path("postgresql.auto.conf")
        let status = try BlockingDisk.status(path)
        let options = WriteOptions(mode: status?.mode ?? 0o600, owner: target.owner)
        try BlockingDisk.write(applied(to: try BlockingDisk.readIfPresent(path) ?? []), to: path, options)
        try BlockingDisk.remove(target.path(signalFiles.absent))
        try BlockingDisk.write([], to: target.path(signalFiles.present), options)
        return settings.map(\.name)
    }
}
