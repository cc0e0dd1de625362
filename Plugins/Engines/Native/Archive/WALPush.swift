import FleetPluginAPI

/// `fleet agent wal-push %p`: stores a WAL file in every repository of the instance, durably, or fails.
///
/// Success is reported only when each repository has the file. One that has it already with the same content is
/// content; with another content nothing is overwritten and the push fails.
enum WALPush {
    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        do {
            guard let path = arguments.first, arguments.count == 1 else {
                throw FleetError(.usage, "wal-push takes the path of one WAL file", hint: "archive_command: … %p")
            }
            try await push(path, context)
            return 0
        } catch {
            context.log(FleetError(error, "wal-push failed").description)
            return 1
        }
    }

    static func push(_ path: String, _ context: AgentContext) async throws {
        guard !context.repositories.isEmpty else {
            throw FleetError(.configuration, "the instance \(context.instance.name) has no repository")
        }
        let file = try await ArchivableFile.read(path)
        if let remark = file.remark { context.log("\(file.name.text) is archived without an index: \(remark)") }
        let failures = try await concurrently(context.repositories) { repository -> FleetError? in
            do {
                try await push(file, to: repository, context)
                return nil
            } catch {
                return FleetError(error, "storing it failed").during(
                    "\(file.name.text) is not archived in the repository \(repository.name)")
            }
        }.compactMap { $0 }
        for failure in failures.dropLast() { context.log(failure.description) }
        if let failure = failures.last { throw failure }
    }

    private static func push(
        _ file: ArchivableFile, to repository: EngineContext.Repository, _ context: AgentContext
    ) async throws {
        let instance = try await Repository.open(repository, context.resolve).instance(context.instance.name)
        let system: SystemIdentifier
        if let identifier = file.systemIdentifier {
            try await instance.admitWriter(identifier)
            system = identifier
        } else if let current = try await instance.record()?.current {
            system = current
        } else {
            throw FleetError(
                .refused, "nothing says which server \(file.name.text) comes from",
                cause: "global/pg_control beside it cannot be read, and the repository holds no WAL of the instance yet"
            )
        }
        let header = WALObjectHeader(
            name: file.name.text, kind: file.name.kind, systemIdentifier: system, size: Int64(file.content.count),
            sha256: file.sha256, segmentSize: file.segmentSize, archivedAt: .now, summary: file.summary)
        let object = try await Workers.run { try WALObject.encode(header, frame: file.frame) }
        do {
            try await instance.storage.put(instance.keys.wal(file.name, system), object, condition: .absent)
        } catch let error as FleetError where error.code == .alreadyExists {
            try await compare(file, instance, system)
            context.log("\(file.name.text) is in the repository \(repository.name) already, with the same content")
        }
    }

    /// - Throws: `alreadyExists` unless the archived file is the same.
    private static func compare(
        _ file: ArchivableFile, _ instance: InstanceRepository, _ system: SystemIdentifier
    ) async throws {
        let archived = try await ArchiveReader(instance: instance, system: system).header(file.name)
        guard archived.sha256 == file.sha256 else {
            throw FleetError(
                .alreadyExists, "the archive of \(instance.subject) has another \(file.name.text)",
                cause: "archived \(archived.archivedAt) with SHA-256 \(archived.sha256), this one has \(file.sha256)",
                hint: "a copy of the server archives into the same repository, or the server was set back to an "
                    + "earlier state without a new timeline; nothing was overwritten")
        }
    }
}
