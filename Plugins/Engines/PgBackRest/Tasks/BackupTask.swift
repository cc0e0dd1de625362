import DurableFiles
import FleetPluginAPI

/// What `fleet agent pgbackrest-backup` is asked for.
struct BackupTaskRequest: Hashable, Sendable, Codable {
    var program: PgBackRest
    var key: String
    var kind: BackupRecord.Kind
    var repository: RepositoryKey
    /// Whether pgBackRest removes old backups afterwards, as its configuration says.
    var expiresByItself: Bool
    var managesStanza: Bool
    /// Nil when nobody could tell.
    var dataDirectory: String?
    var processes: Int?
    /// The address that this task reaches the server at where that is no socket.
    var host: String?
    var port: Int?
}

/// `fleet agent pgbackrest-backup`: one backup, marked with the task's key, so that a second run under the key finds
/// what the first one made.
///
/// pgBackRest's lock is respected: while somebody else's backup runs, such as one that cron began, it is a conflict.
struct BackupTask: Sendable {
    let request: BackupTaskRequest
    let instance: String
    var run: PgBackRestRun

    /// The annotation of a backup that carries the key of its task.
    static let annotation = "fleet-key"

    private var doing: String { "the backup of \(instance)" }

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform(BackupTaskRequest.self, arguments) { request in
            var task = BackupTask(
                request: request, instance: context.instance.name, run: PgBackRestRun(request.program, context))
            task.run.reach = try await ServerReach.find(request.program, host: request.host, port: request.port)
            context.emit(.result(try JSONText.value(try await task.backUp())))
        }
    }

    private func backUp() async throws -> BackupRecord {
        let version = try await run.version()
        var stanza = try await run.info(doing).stanza(request.program.stanza)
        if let made = made(stanza) {
            run.log("the backup \(made.label) was made under this key already")
            return made
        }
        try refuseLocked(stanza)
        if request.managesStanza, stanza?.databases(in: request.repository.key).isEmpty != false {
            try await createStanza()
        }
        let said = try await work(version, stanza)
        let label = said.messages.lazy.compactMap(Self.label).last
        stanza = try await run.info(doing).stanza(request.program.stanza)
        guard let stanza, let record = stanza.records(in: request.repository).last(where: { $0.label == label }) else {
            throw FleetError(
                .protocolViolation, "pgBackRest ended without an error and lists no new backup of \(instance)",
                cause: label.map { "it is called \($0)" })
        }
        if record.kind != request.kind {
            run.log(
                "there is no backup that a \(request.kind.rawValue) could build upon: a \(record.kind.rawValue) was made"
            )
        }
        return record
    }

    func options(_ version: PgBackRestVersion) -> [String] {
        var options = ["--repo=\(request.repository.key)", "--type=\(request.kind.rawValue)"]
        if !request.expiresByItself { options.append("--no-expire-auto") }
        if let processes = request.processes { options.append("--process-max=\(processes)") }
        if version.knowsAnnotations { options.append("--annotation=\(Self.annotation)=\(request.key)") }
        return options
    }

    /// What an earlier run under the key made.
    private func made(_ stanza: InfoDocument.Stanza?) -> BackupRecord? {
        let label = stanza?.backups.last { backup in
            backup.database.repositoryKey == request.repository.key
                && backup.annotation?[Self.annotation] == request.key
        }?.label
        return stanza?.records(in: request.repository).first { $0.label == label }
    }

    private func refuseLocked(_ stanza: InfoDocument.Stanza?) throws {
        guard let lock = stanza?.status.lock, lock.held else { return }
        let progress = lock.size.flatMap { size in
            lock.sizeComplete.map { "it has copied \(ByteSize.text($0)) of \(ByteSize.text(size))" }
        }
        throw FleetError(
            .conflict, "\(doing): pgBackRest is at work on the stanza \(request.program.stanza) already",
            cause: progress,
            hint: "wait until it has ended, such as a backup that cron has begun; fleet does not fight it"
        )
    }

    /// Makes the backup; a stanza that knows the server from before pg_upgrade is told of the new one first, or who
    /// keeps the stanza is told how to.
    private func work(_ version: PgBackRestVersion, _ stanza: InfoDocument.Stanza?) async throws -> PgBackRestRun.Said {
        do {
            return try await run.work("backup", options(version), doing)
        } catch var error as FleetError where error.code == .drifted {
            let name = request.program.stanza
            let known = stanza?.databases(in: request.repository.key).last?.version
            // The same version and another identity: another server, which has no business in this stanza.
            guard let known, let found = try await majorVersion(), found != known else { throw error }
            guard request.managesStanza else {
                error.hint =
                    "after pg_upgrade from \(known) to \(found), run pgbackrest --stanza=\(name) stanza-upgrade, or set "
                    + "manageStanza: true and fleet does it"
                throw error
            }
            run.log("upgrading the stanza \(name) from PostgreSQL \(known) to \(found)")
            _ = try await run.work("stanza-upgrade", [], "upgrading the stanza \(name)")
            return try await run.work("backup", options(version), doing)
        }
    }

    private func createStanza() async throws {
        run.log("creating the stanza \(request.program.stanza)")
        _ = try await run.work("stanza-create", [], "creating the stanza \(request.program.stanza)")
        // Proves that WAL comes from the server into the repository.
        _ = try await run.work("check", [], "checking the stanza \(request.program.stanza)")
    }

    /// Of the server's data: `15`; nil when it cannot be read from here.
    private func majorVersion() async throws -> String? {
        guard let directory = request.dataDirectory else { return nil }
        let bytes = try await Disk().readIfPresent("\(directory)/PG_VERSION", limit: 64)
        return bytes.map { String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self) }
    }

    /// `new backup label = 20261126-021555F`
    static func label(_ message: String) -> String? {
        let prefix = "new backup label = "
        return message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : nil
    }
}
