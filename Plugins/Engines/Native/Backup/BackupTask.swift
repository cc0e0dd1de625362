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
    /// Bytes that the server reads in a second at most.
    var rate: Int64?
    /// How long to wait for the archiver after the last byte was received, in seconds.
    var archiveTimeout: Int64
    /// What to write into `archive_command`, for hints.
    var archiveCommand: String
    /// Through which WAL is received; nil where the server archives it.
    var slot: String?
    /// The data directory whose files are read; nil where the server sends them.
    var dataDirectory: String?
}

/// `fleet agent backup`: makes a base backup in a repository, of what the server sends or of its files.
///
/// Published last, and only when every byte has been checked against the server's own manifest and all WAL that the
/// backup needs is archived. A second run under a published key returns what the first one made.
struct BackupTask: Sendable {
    let instance: InstanceRepository
    let request: BackupTaskRequest
    let context: AgentContext
    let parameters: ConnectionParameters
    let startTime: Timestamp
    let server: ServerFacts
    let claim: ClaimKeeper
    /// Nil for a full backup.
    let base: BackupBase?
    /// What earlier attempts have stored already.
    let unfinished: [UnfinishedBackup]
    var label: String { claim.label }

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let request = try context.request(BackupTaskRequest.self, arguments)
            let repository = try context.repository(request.backup.repository)
            let record = try await run(request, repository, context)
            context.emit(.result(try JSONValue(encoding: record)))
            return 0
        }
    }

    private static func run(
        _ request: BackupTaskRequest, _ repository: EngineContext.Repository, _ context: AgentContext
    ) async throws -> BackupRecord {
        let instance = try await Repository.openOrCreate(repository, context.resolve).instance(context.instance.name)
        if try await instance.record() == nil { await makeOthers(repository, context) }
        if let record = try await published(request.backup.key, instance) {
            context.log("the backup \(record.label) was made under this key already")
            return record
        }
        return try await Task(executorPreference: Workers.executor) {
            try await run(request, instance, context)
        }.valueWithCancellation
    }

    /// Makes the instance's other repositories with its first backup: WAL goes into all of them, and none of it counts as
    /// archived while one is missing. Later one that is not there has vanished, and is not made anew unasked.
    private static func makeOthers(_ repository: EngineContext.Repository, _ context: AgentContext) async {
        for other in context.repositories where other.name != repository.name {
            do {
                _ = try await Repository.openOrCreate(other, context.resolve)
            } catch {
                context.log("WAL is not archived until the repository \(other.name) is there: \(error)")
            }
        }
    }

    private static func published(_ key: String, _ instance: InstanceRepository) async throws -> BackupRecord? {
        for label in try await instance.publishedLabels() where BackupName.matches(label, key: key) {
            if let document = try await instance.document(label), document.key == key { return document.record }
        }
        return nil
    }

    private static func run(
        _ request: BackupTaskRequest, _ instance: InstanceRepository, _ context: AgentContext
    ) async throws -> BackupRecord {
        let now = Timestamp.now
        let password = try await request.endpoint.password.resolved(context.resolve)
        let parameters = ConnectionParameters(request.endpoint, password: password)
        let connection = try await ReplicationConnection.connect(parameters, deadline: .now + .seconds(30))
        do {
            let server = try await ServerFacts.read(connection, request)
            let system = server.identity.systemIdentifier
            try await instance.admitWriter(system)
            let (claim, base, unfinished) = try await claim(
                request.backup, of: system, in: instance, at: now, context.log)
            let task = BackupTask(
                instance: instance, request: request, context: context, parameters: parameters, startTime: now,
                server: server, claim: claim, base: base, unfinished: unfinished)
            let record = try await task.run(connection)
            await connection.close()
            return record
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Takes a label, and finds what to build upon. The claim names it before it is looked at a last time, so that an
    /// expiry sees the claim, or the backup sees the expiry.
    private static func claim(
        _ request: BackupRequest, of system: SystemIdentifier, in instance: InstanceRepository, at time: Timestamp,
        _ log: @escaping @Sendable (String) -> Void
    ) async throws -> (ClaimKeeper, BackupBase?, [UnfinishedBackup]) {
        let unfinished = try await UnfinishedBackup.all(for: request.key, in: instance, at: time, log: log)
        for attempt in unfinished { log("going on with what \(attempt.label) has stored") }
        while true {
            let base = try await BackupBase.newest(for: request.kind, of: system, in: instance, log: log)
            if request.kind != .full {
                log(
                    base.map { "building upon \($0.record.label)" }
                        ?? "there is no backup that a \(request.kind.rawValue) could build upon: a full is made")
            }
            let claim = ClaimKeeper(
                instance: instance, kind: base == nil ? .full : request.kind, key: request.key, at: time,
                parents: (base?.labels ?? []) + unfinished.map(\.label))
            try await claim.take()
            guard let base else { return (claim, nil, unfinished) }
            do {
                if try await base.isStillThere(in: instance) { return (claim, base, unfinished) }
            } catch {
                try? await claim.drop()
                throw error
            }
            log("\(base.record.label) is being removed")
            try await claim.drop()
        }
    }

    private func run(_ connection: ReplicationConnection) async throws -> BackupRecord {
        var isPublishing = false
        do {
            try await HistoryKeeper(instance: instance, system: server.identity.systemIdentifier)
                .keep(server.identity.timeline, from: connection)
            let received = try await receive(connection)
            let draft = try await store(received)
            try await awaitWAL(received)
            try await checkUnfinished(received)
            try claim.check()
            isPublishing = true
            return try await publish(draft)
        } catch {
            // What was published, or may have been, stays.
            if !isPublishing { await leave(FleetError(error, label)) }
            throw error
        }
    }

    private func receive(_ connection: ReplicationConnection) async throws -> ReceivedBackup {
        let meter = ProgressMeter("copy", total: nil, emit: context.emit)
        var writer = ChunkWriter(
            instance: instance, label: label, level: request.level, inherited: base?.manifest.packs ?? [],
            unfinished: unfinished)
        do {
            var received =
                if let directory = request.dataDirectory {
                    try await read(directory, &writer, meter)
                } else {
                    try await stream(connection, &writer, meter)
                }
            try received.check(server)
            if !received.sent.isEmpty { received.serverManifest = received.manifest(server).bytes }
            meter.finish()
            return received
        } catch {
            await writer.abandon()
            throw error
        }
    }

    /// Reads the server's files.
    private func read(
        _ directory: String, _ writer: inout ChunkWriter, _ meter: ProgressMeter
    ) async throws -> ReceivedBackup {
        let backup = FileBackup(
            server: server, base: base, instance: instance, meter: meter,
            limit: request.rate.map(RateLimit.init(bytesPerSecond:)), log: context.log)
        let connection = try await PostgresConnection.connect(parameters, deadline: .now + .seconds(30))
        do {
            let received = try await backup.run(directory, label: label, connection, &writer) {
                try await claim.refresh()
            }
            await connection.close()
            return received
        } catch {
            // Backup mode ends with the session.
            await connection.close()
            throw error
        }
    }

    /// What was stored before the line was cut is left to the next attempt; the rest is of no use to anybody.
    private func leave(_ error: FleetError) async {
        guard error.code == .unavailable || error.code == .timedOut else { return await removeLeftovers() }
        await Task { try? await claim.drop() }.value
    }

    private func removeLeftovers() async {
        let instance = instance
        let label = label
        // In a task of its own: this one may be cancelled already.
        await Task {
            do {
                // Another attempt may have taken this one for dead and refer to what it stored.
                let claims = try await RepositoryState.liveClaims(instance, now: .now)
                guard !claims.values.contains(where: { $0.parents.contains(label) }) else { return }
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
