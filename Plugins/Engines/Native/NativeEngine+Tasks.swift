public import FleetPluginAPI
import PostgresFormats

extension NativeEngine {
    public func backup(_ request: BackupRequest, _ context: EngineContext) async throws -> TaskSpec {
        try check(request.repository, context)
        guard var endpoint = context.endpoint else {
            throw FleetError(
                .configuration, "nobody can tell where the server of \(context.instance.name) answers",
                hint: "give the instance a connection: block")
        }
        var secrets: [String: SecretReference] = [:]
        if let password = endpoint.password {
            secrets["PGPASSWORD"] = password
            endpoint.password = .environment("PGPASSWORD")
        }
        let task = BackupTaskRequest(
            backup: request, endpoint: endpoint, level: level, rate: backupRate,
            archiveTimeout: archiveTimeout.components.seconds,
            archiveCommand: try archiving(context).archive, slot: walSlot(context),
            dataDirectory: try readsFiles ? dataDirectory(context) : nil)
        return TaskSpec(
            key: request.key, purpose: "back up \(context.instance.name) to \(request.repository)",
            argv: try argv("backup", task, context), secrets: secrets,
            // A Unix socket is reached only from where the server runs.
            volume: readsFiles || endpoint.host.hasPrefix("/") ? .besideRunningServer : .nothing)
    }

    private func dataDirectory(_ context: EngineContext) throws -> String {
        guard let location = context.location else {
            throw FleetError(
                .configuration, "nobody can tell where the data of \(context.instance.name) is",
                hint: "let the engine read: stream, or look why the platform cannot tell: fleet status")
        }
        return location.dataDirectory
    }

    public func restore(_ request: RestoreRequest, _ context: EngineContext) async throws -> TaskSpec {
        try check(request.backup.repository, context)
        let task = RestoreTaskRequest(
            restore: request, restoreCommand: try archiving(context).restore, rate: restoreRate)
        return TaskSpec(
            key: request.key, purpose: "restore \(context.instance.name) from \(request.backup.label)",
            argv: try argv("restore", task, context), volume: .alone)
    }

    public func verify(_ request: VerifyRequest, _ context: EngineContext) async throws -> TaskSpec {
        try check(request.repository, context)
        return TaskSpec(
            key: request.key, purpose: "verify backups of \(context.instance.name) in \(request.repository)",
            argv: try argv("verify", request, context), volume: .nothing)
    }

    public func expire(_ request: ExpireRequest, _ context: EngineContext) async throws -> TaskSpec {
        try check(request.repository, context)
        try request.checkRetention()
        return TaskSpec(
            key: request.key, purpose: "expire backups of \(context.instance.name) in \(request.repository)",
            argv: try argv("expire", request, context), volume: .nothing)
    }

    public func copy(_ request: CopyRequest, _ context: EngineContext) async throws -> TaskSpec {
        try check(request.source, context)
        try check(request.destination, context)
        guard request.source != request.destination else {
            throw FleetError(.usage, "a repository is not copied into itself: \(request.source)")
        }
        return TaskSpec(
            key: request.key,
            purpose: "copy backups of \(context.instance.name) from \(request.source) to \(request.destination)",
            argv: try argv("copy", request, context), volume: .nothing)
    }

    public func repair(_ request: RepairRequest, _ context: EngineContext) async throws -> TaskSpec {
        try check(request.repository, context)
        return TaskSpec(
            key: request.key, purpose: "repair backups of \(context.instance.name) in \(request.repository)",
            argv: try argv("repair", request, context), volume: .nothing)
    }

    public func hold(_ label: String, in repository: String, _ hold: BackupHold?, _ context: EngineContext) async throws
    {
        let instance = try await Repository.open(check(repository, context), resolve).instance(context.instance.name)
        if let hold {
            try await instance.setHold(hold, on: label)
        } else {
            try await instance.releaseHold(on: label)
        }
    }

    public func archiving(_ context: EngineContext) throws -> ArchiveCommands {
        func command(_ verb: String, _ placeholders: String) -> String {
            ShellWord.command(context.agent.argv(verb, instance: context.instance.name), placeholders: placeholders)
        }
        return ArchiveCommands(archive: command("wal-push", "%p"), restore: command("wal-get", "%f %p"))
    }

    private func argv(_ verb: String, _ request: some Encodable, _ context: EngineContext) throws -> [String] {
        let text = String(decoding: try JSONText.encode(request), as: UTF8.self)
        return context.agent.argv(verb, instance: context.instance.name, [text])
    }

    @discardableResult
    private func check(_ repository: String, _ context: EngineContext) throws -> EngineContext.Repository {
        guard let found = context.repositories.first(where: { $0.name == repository }) else {
            throw FleetError(
                .configuration, "the instance \(context.instance.name) has no repository \(repository)",
                hint: "it has " + context.repositories.map(\.name).joined(separator: ", "))
        }
        return found
    }
}
