import DurableFiles
import FleetPluginAPI
import PostgresFormats

/// What `fleet agent pgbackrest-restore` is asked for.
struct RestoreTaskRequest: Hashable, Sendable, Codable {
    var program: PgBackRest
    var restore: RestoreRequest
    var repository: RepositoryKey
    /// Shell command for `restore_command`.
    var restoreCommand: String
    var processes: Int?
}

/// What a restore did, as its result event carries it.
struct RestoreReport: Hashable, Sendable, Codable {
    var label: String
    /// Bytes of all files.
    var size: Int64
    /// What was set in `postgresql.auto.conf`, by name.
    var settings: [String]
}

/// `fleet agent pgbackrest-restore`: lets pgBackRest make a data directory what a backup says, and tells PostgreSQL how
/// to recover from there in fleet's own words, as every engine of fleet's does.
///
/// May be ended at any instant and run again: pgBackRest writes `pg_control` last, and until a server has been started
/// `backup_label` says which backup lies there.
struct RestoreTask: Sendable {
    let request: RestoreTaskRequest
    let run: PgBackRestRun

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform(RestoreTaskRequest.self, arguments) { request in
            let task = RestoreTask(request: request, run: PgBackRestRun(request.program, context))
            let report = try await task.restore("the restore of \(context.instance.name)")
            context.emit(.result(try JSONText.value(report)))
        }
    }

    private func restore(_ doing: String) async throws -> RestoreReport {
        let backup = request.restore.backup
        let listed = try await run.info(doing).stanza(request.program.stanza)?.records(in: request.repository)
            .first { $0.label == backup.label }
        guard let listed else {
            throw FleetError(
                .notFound, "there is no backup \(backup.label) in \(request.repository.name)",
                hint: "fleet backups list shows what there is")
        }
        guard listed.systemIdentifier == backup.systemIdentifier else {
            throw FleetError(
                .drifted, "the backup \(backup.label) is of another server than the plan says",
                cause: "\(listed.systemIdentifier) instead of \(backup.systemIdentifier)")
        }
        let place = RestorePlace(request.restore)
        let hasContents = try await Work.run { [log = run.log] in try place.prepare(log) }
        _ = try await run.work("restore", options(isDelta: hasContents), doing)
        let configuration = RecoveryConfiguration(request.restore.recovery, restoreCommand: request.restoreCommand)
        try await Work.run { try place.write(configuration) }
        return RestoreReport(label: backup.label, size: backup.size, settings: configuration.settings.map(\.name))
    }

    /// - Parameter isDelta: what is in the directory is this server's, and only what differs is written.
    func options(isDelta: Bool) -> [String] {
        let restore = request.restore
        var options = [
            "--pg1-path=\(restore.dataDirectory)", "--repo=\(request.repository.key)", "--set=\(restore.backup.label)",
            // What recovery is told is written afterwards, whole.
            "--type=none",
        ]
        if isDelta { options.append("--delta") }
        // In its own place a directory that was linked elsewhere, such as pg_wal, goes there again. A copy must not
        // reach for its source's.
        if restore.mode == .delta && !restore.recovery.archivingOff { options.append("--link-all") }
        for tablespace in restore.backup.tablespaces {
            guard let place = restore.tablespaces[tablespace.path] else { continue }
            options.append("--tablespace-map=\(tablespace.oid)=\(place)")
        }
        if let processes = request.processes { options.append("--process-max=\(processes)") }
        return options
    }
}
