public import FleetPluginAPI
import PostgresFormats

extension PgBackRestEngine {
    public func backup(_ request: BackupRequest, _ context: EngineContext) async throws -> TaskSpec {
        var task = BackupTaskRequest(
            program: program(context), key: request.key, kind: request.kind,
            repository: try repository(request.repository, context), expiresByItself: retention(context) == .pgbackrest,
            managesStanza: managesStanza(context), dataDirectory: context.location?.dataDirectory, processes: processes)
        if let endpoint = context.endpoint, !endpoint.host.hasPrefix("/") {
            (task.host, task.port) = (endpoint.host, endpoint.port)
        }
        // pgBackRest logs in as its configuration says; libpq takes a password from here where it has none.
        let secrets = context.endpoint?.password.map { ["PGPASSWORD": $0] } ?? [:]
        return try self.task(
            request.key, "back up \(context.instance.name) to \(request.repository)", PgBackRestVerb.backup, task,
            .besideRunningServer, secrets: secrets, context)
    }

    public func restore(_ request: RestoreRequest, _ context: EngineContext) async throws -> TaskSpec {
        let task = RestoreTaskRequest(
            program: program(context), restore: request, repository: try repository(request.backup.repository, context),
            restoreCommand: restoreCommand(
                dataDirectory: request.dataDirectory, isCopy: request.recovery.archivingOff, context),
            processes: processes)
        return try self.task(
            request.key, "restore \(context.instance.name) from \(request.backup.label)", PgBackRestVerb.restore, task,
            .alone, context)
    }

    public func verify(_ request: VerifyRequest, _ context: EngineContext) async throws -> TaskSpec {
        guard request.share ?? 100 == 100 else {
            throw FleetError(
                .unsupported, "pgBackRest verifies everything or nothing", hint: "leave --quick and --sample out")
        }
        let task = VerifyTaskRequest(
            program: program(context), backups: request.backups,
            repository: try repository(request.repository, context),
            processes: processes)
        return try self.task(
            request.key, "verify backups of \(context.instance.name) in \(request.repository)", PgBackRestVerb.verify,
            task, .besideRunningServer, context)
    }

    public func expire(_ request: ExpireRequest, _ context: EngineContext) async throws -> TaskSpec {
        let repository = try repository(request.repository, context)
        try request.checkRetention()
        guard retention(context) == .fleet else {
            throw FleetError(
                .refused, "old backups of \(context.instance.name) are removed by pgBackRest itself",
                cause: "its configuration's repo\(repository.key)-retention-full is in force, after each backup",
                hint: "change it there; or set `retention: fleet` of the engine and take it out of the configuration")
        }
        let task = ExpireTaskRequest(
            program: program(context), repository: repository, retention: request.retention,
            isDryRun: request.isDryRun)
        return try self.task(
            request.key, "expire backups of \(context.instance.name) in \(request.repository)", PgBackRestVerb.expire,
            task, .besideRunningServer, context)
    }

    public func archiving(_ context: EngineContext) throws -> ArchiveCommands {
        if isRendered(context) {
            guard let location = context.location else {
                throw FleetError(.unavailable, "nobody can tell where the data of \(context.instance.name) is")
            }
            return ArchiveCommands(
                archive: agentCommand(PgBackRestVerb.push, location.dataDirectory, context, placeholders: "%p"),
                restore: restoreCommand(dataDirectory: location.dataDirectory, isCopy: false, context))
        }
        let place = context.location.map { ["--pg1-path=\($0.dataDirectory)"] } ?? []
        return ArchiveCommands(
            archive: program.shell("archive-push", place, placeholders: "%p"),
            restore: RestoreCommand.wrapped(program.shell("archive-get", place, placeholders: "%f %p")))
    }

    /// Its own configuration lies beside the data, and pgBackRest is called with it directly.
    public func serverCallsAgent(_ context: EngineContext) -> Bool { isRendered(context) }

    /// - Parameter isCopy: whether it is for a copy, which must leave its source's spool alone.
    func restoreCommand(dataDirectory: String, isCopy: Bool, _ context: EngineContext) -> String {
        if isRendered(context) {
            return agentCommand(PgBackRestVerb.get, dataDirectory, context, placeholders: "%f %p")
        }
        let options = ["--pg1-path=\(dataDirectory)"] + (isCopy ? ["--no-archive-async"] : [])
        return RestoreCommand.wrapped(program.shell("archive-get", options, placeholders: "%f %p"))
    }

    /// Through `fleet agent`, which fetches the repositories' secrets.
    private func agentCommand(
        _ verb: String, _ dataDirectory: String, _ context: EngineContext, placeholders: String
    ) -> String {
        let arguments = [program.binary, program.stanza, dataDirectory]
        return ShellWord.command(
            context.agent.argv(verb, instance: context.instance.name, arguments), placeholders: placeholders)
    }

    private func task(
        _ key: String, _ purpose: String, _ verb: String, _ request: some Encodable, _ volume: TaskSpec.VolumeNeed,
        secrets: [String: SecretReference] = [:], _ context: EngineContext
    ) throws -> TaskSpec {
        let options = try rendered(context)
        return TaskSpec(
            key: key, purpose: purpose, argv: try argv(verb, request, context),
            environment: options?.environment ?? [:],
            secrets: secrets.merging(options?.secrets ?? [:]) { first, _ in first }, volume: volume)
    }

    private func argv(_ verb: String, _ request: some Encodable, _ context: EngineContext) throws -> [String] {
        let text = String(decoding: try JSONText.encode(request), as: UTF8.self)
        return context.agent.argv(verb, instance: context.instance.name, [text])
    }
}

/// `restore_command` around `archive-get`.
enum RestoreCommand {
    /// What a fault becomes.
    static let fault = 200

    /// PostgreSQL takes exit statuses 1 to 125 for "the archive ends here" and promotes. pgBackRest says 1 when a
    /// segment is certainly not there, and 25 to 125 for faults, such as 42 for a segment that it cannot read. Those
    /// become 200, which stops recovery; what is above 125 already (no such program, a signal) stays.
    static func wrapped(_ command: String) -> String {
        "\(command) || { s=$?; [ $s -eq 1 ] || [ $s -gt 125 ] || s=\(fault); exit $s; }"
    }
}

/// The names of `fleet agent`'s verbs.
enum PgBackRestVerb {
    static let backup = "pgbackrest-backup"
    static let restore = "pgbackrest-restore"
    static let verify = "pgbackrest-verify"
    static let expire = "pgbackrest-expire"
    static let push = "pgbackrest-archive-push"
    static let get = "pgbackrest-archive-get"
}
