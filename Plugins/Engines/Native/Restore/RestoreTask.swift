import DurableFiles
import FleetPluginAPI
import Glibc
import PostgresFormats

/// What `fleet agent restore` is asked for.
struct RestoreTaskRequest: Hashable, Sendable, Codable {
    var restore: RestoreRequest
    /// Shell command for `restore_command`.
    var restoreCommand: String
    /// Bytes that are fetched and written in a second at most.
    var rate: Int64?
}

/// What a restore did, as its result event carries it.
struct RestoreReport: Hashable, Sendable, Codable {
    var label: String
    var files: Int
    /// Bytes of all files.
    var size: Int64
    /// Bytes that were fetched and written; the rest was there already.
    var written: Int64
    /// Files and directories that do not belong to the backup and were removed.
    var removed: Int
    /// What was set in `postgresql.auto.conf`, by name.
    var settings: [String]
}

/// `fleet agent restore`: makes a data directory what a backup says, and tells PostgreSQL how to recover from there.
///
/// May be ended at any instant and run again: until all is whole and durable there is no `pg_control`, so that no
/// server starts on half a restore, and `fleet-restore.json` says whose unfinished restore it is.
struct RestoreTask: Sendable {
    let instance: InstanceRepository
    let request: RestoreTaskRequest
    let emit: @Sendable (TaskEvent) -> Void
    let log: @Sendable (String) -> Void

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let request = try context.request(RestoreTaskRequest.self, arguments)
            let repository = try context.repository(request.restore.backup.repository)
            // The backup's instance, which another one may be restored from.
            let instance = try await Repository.open(repository, context.resolve).instance(context.instance.name)
            let task = RestoreTask(instance: instance, request: request, emit: context.emit, log: context.log)
            let report = try await task.restore()
            context.emit(.result(try JSONValue(encoding: report)))
            return 0
        }
    }

    func restore() async throws -> RestoreReport {
        let backup = request.restore.backup
        guard let document = try await instance.document(backup.label) else {
            throw FleetError(
                .notFound, "there is no backup \(backup.label) of \(instance.subject)",
                hint: "fleet backups list shows what there is")
        }
        guard document.record.systemIdentifier == backup.systemIdentifier else {
            throw FleetError(
                .drifted, "the backup \(backup.label) is of another server than the plan says",
                cause: "\(document.record.systemIdentifier) instead of \(backup.systemIdentifier)")
        }
        let manifest = try await instance.manifest(document)
        let target = try await Workers.run { [request] in
            try RestoreTarget(manifest, request.restore)
        }
        let meter = ProgressMeter("restore", total: manifest.size, emit: emit)
        let removed = try await Workers.run { [log] in
            try target.check(log)
            try target.begin()
            let removed = try target.clean()
            try target.makeDirectories()
            return removed
        }
        let files = FileRestore(
            target: target, manifest: manifest, chunks: ChunkReader(instance: instance, packs: manifest.packs),
            meter: meter, limit: request.rate.map(RateLimit.init(bytesPerSecond:)))
        let written = try await files.run()
        meter.begin("make durable", total: nil)
        try await target.finishFiles(manifest)
        let settings = try await Workers.run { [request] in
            let settings = try RecoveryConfiguration(request).write(in: target)
            try target.writeServerManifest(manifest)
            try target.finishDirectories(manifest)
            return settings
        }
        try await files.restoreControlFile()
        try await Workers.run { try target.end() }
        meter.finish()
        return RestoreReport(
            label: backup.label, files: manifest.files.count, size: manifest.size, written: written, removed: removed,
            settings: settings)
    }
}

/// `fleet-restore.json` in a data directory: a restore has begun there and not ended.
struct RestoreMarker: Hashable, Sendable, Codable {
    var key: String
    var label: String
    var systemIdentifier: SystemIdentifier
    /// Tablespace directories that the restore has taken.
    var tablespaces: [String]
    /// Names in the data directory that stay as they were; see `RestoreTarget.kept`.
    var kept: [String]?

    static let name = "fleet-restore.json"

    /// Blocks. Nil when no restore is under way there.
    static func read(in directory: String) throws -> RestoreMarker? {
        let path = "\(directory)/\(name)"
        guard let bytes = try BlockingDisk.readIfPresent(path, limit: 1 << 20) else { return nil }
        return try JSONText.decode(RestoreMarker.self, bytes, path)
    }
}
