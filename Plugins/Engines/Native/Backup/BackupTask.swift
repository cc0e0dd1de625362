import FleetPluginAPI
import FoundationEssentials
import Glibc
import PostgresClient
import PostgresFormats

/// What `fleet agent backup` is asked for. Carries no secret: a password is fetched through its reference.
struct BackupTaskRequest: Hashable, Sendable, Codable {
    var backup: BackupRequest
    var endpoint: Endpoint
    /// zstd level of chunks.
    var level: Int
    /// How long to wait for the archiver after the last byte was received, in seconds.
    var archiveTimeout: Int64
    /// What to write into `archive_command`, for hints.
    var archiveCommand: String
}

/// `fleet agent backup`: streams a base backup into a repository.
///
/// Published last, and only when every byte has been checked against the server's own manifest and all WAL that the
/// backup needs is archived. A second run under a published key returns what the first one made.
struct BackupTask: Sendable {
    let instance: InstanceRepository
    let request: BackupTaskRequest
    let context: AgentContext
    let startTime: Timestamp
    let claim: ClaimKeeper
    var label: String { claim.label }

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let request = try context.request(BackupTaskRequest.self, arguments)
            guard request.backup.kind == .full else {
                throw FleetError(
                    .unsupported, "the native engine makes full backups only, not \(request.backup.kind.rawValue)")
            }
            let repository = try context.repository(request.backup.repository)
            let record = try await run(request, repository, context)
            context.emit(.result(try JSONValue(encoding: record)))
            return 0
        }
    }

    private static func run(
        _ request: BackupTaskRequest, _ repository: EngineContext.Repository, _ context: AgentContext
    ) async throws -> BackupRecord {
        let instance = try await Repository.openOrCreate(repository).instance(context.instance.name)
        if let record = try await published(request.backup.key, instance) {
            context.log("the backup \(record.label) was made under this key already")
            return record
        }
        let now = Timestamp.now
        let task = BackupTask(
            instance: instance, request: request, context: context, startTime: now,
            claim: ClaimKeeper(
                instance: instance,
                claim: BackupClaim(
                    key: request.backup.key,
                    label: BackupName.make(key: request.backup.key, kind: request.backup.kind, at: now),
                    startedAt: now, host: ProcessInfo.processInfo.hostName, parents: [])))
        return try await Task(executorPreference: Workers.executor) { try await task.run() }.valueWithCancellation
    }

    private static func published(_ key: String, _ instance: InstanceRepository) async throws -> BackupRecord? {
        for label in try await instance.publishedLabels() where BackupName.matches(label, key: key) {
            if let document = try await instance.document(label), document.key == key { return document.record }
        }
        return nil
    }

    private func run() async throws -> BackupRecord {
        let password = try request.endpoint.password.map(context.resolve)
        let connection = try await ReplicationConnection.connect(
            ConnectionParameters(request.endpoint, password: password), deadline: .now + .seconds(30))
        do {
            let record = try await run(connection)
            await connection.close()
            return record
        } catch {
            await connection.close()
            throw error
        }
    }

    private func run(_ connection: ReplicationConnection) async throws -> BackupRecord {
        let server = try await ServerFacts.read(connection, archiveCommand: request.archiveCommand)
        try await instance.admitWriter(server.identity.systemIdentifier)
        try await claim.take()
        try await HistoryKeeper(instance: instance, system: server.identity.systemIdentifier)
            .keep(server.identity.timeline, from: connection)
        var isPublishing = false
        do {
            let received = try await receive(connection, server)
            let draft = try await store(received, server)
            try await awaitWAL(received, server)
            try claim.check()
            isPublishing = true
            return try await publish(draft)
        } catch {
            // What was published, or may have been, stays; the rest is of no use to anybody.
            if !isPublishing { await removeLeftovers() }
            throw error
        }
    }

    private func receive(
        _ connection: ReplicationConnection, _ server: ServerFacts
    ) async throws -> ReceivedBackup {
        let meter = ProgressMeter("copy", total: nil, emit: context.emit)
        var receiver = BackupReceiver(
            writer: ChunkWriter(instance: instance, label: label, level: request.level), meter: meter)
        do {
            let options = BaseBackupOptions(
                label: label, fastCheckpoint: true, waitsForArchive: false, manifestChecksums: .sha256,
                tablespaceMap: false, verifyChecksums: true)
            for try await event in try await connection.baseBackup(options) {
                try await receiver.take(event)
                try await claim.refresh()
            }
            let received = try await receiver.finish()
            try received.check(server)
            meter.finish()
            return received
        } catch {
            await receiver.abandon()
            throw error
        }
    }

    private func removeLeftovers() async {
        let instance = instance
        let label = label
        // In a task of its own: this one may be cancelled already.
        await Task {
            do {
                for object in try await instance.storage.listAll(instance.keys.packs(of: label))
                    + instance.storage.listAll(instance.keys.backup(label))
                {
                    try await instance.storage.delete(object.key)
                }
            } catch {
                context.log("what the failed backup \(label) left is removed by the next expiry: \(error)")
            }
        }.value
    }
}

extension Task where Failure == any Error {
    /// The value; the task is cancelled when its waiter is.
    var valueWithCancellation: Success {
        get async throws {
            try await withTaskCancellationHandler {
                try await value
            } onCancel: {
                cancel()
            }
        }
    }
}

/// `20251218T103000Z-full-1a2b3c4d`: sorts by time, and carries a hash of the key it was made under.
enum BackupName {
    static func make(key: String, kind: BackupRecord.Kind, at time: Timestamp) -> String {
        let text = Timestamp(microseconds: time.microseconds - time.microseconds % 1_000_000).description
        return text.filter { $0 != "-" && $0 != ":" } + "-\(kind.rawValue)-\(digest(key))"
    }

    static func matches(_ label: String, key: String) -> Bool {
        label.hasSuffix("-\(digest(key))")
    }

    private static func digest(_ key: String) -> String {
        String(ContentHash(of: Array(key.utf8)).description.prefix(8))
    }
}
