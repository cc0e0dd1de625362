import DurableFiles
import FleetPluginAPI
import Synchronization

/// `fleet agent wal-push %p`: stores a WAL file in every repository of the instance, durably, or fails.
///
/// Success is reported only when each repository has the file; those that wait behind it are stored meanwhile. One that
/// has it already with the same content is content; with another content nothing is overwritten and the push fails.
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
        let ahead = try PushedAhead(beside: path, context.repositories)
        if let name = WALFileName(lastName(of: path)), name.kind == .segment,
            try await Workers.run({ ahead.take(name) })
        {
            return
        }
        let file = try await ArchivableFile.read(path)
        let archives = Mutex<[String: InstanceRepository]>([:])
        try await everywhere(context.repositories, of: file, name: \.name, context.log) { repository in
            let instance = try await Repository.open(repository, context.resolve).instance(context.instance.name)
            if let identifier = file.systemIdentifier { try await instance.admitWriter(identifier) }
            try await put(file, in: instance, context.log)
            archives.withLock { $0[repository.name] = instance }
        }
        guard file.name.kind == .segment, let system = file.systemIdentifier else { return }
        await pushAhead(ahead, after: file.name, of: system, to: archives.withLock { Array($0.values) }, context.log)
    }

    /// How long a call begins with segments that nobody has asked for yet: a server that shuts down waits for it.
    private static let patience = Duration.seconds(5)

    /// Stores what waits behind a segment, and notes it. What cannot be stored is found out when it is asked for.
    private static func pushAhead(
        _ ahead: PushedAhead, after name: WALFileName, of system: SystemIdentifier, to archives: [InstanceRepository],
        _ log: @escaping @Sendable (String) -> Void
    ) async {
        let waiting = (try? await Workers.run { ahead.waiting(after: name) }) ?? []
        let end = ContinuousClock.now + patience
        let isOver = Atomic(false)
        _ = try? await concurrently(waiting, limit: Workers.count) { name in
            guard !isOver.load(ordering: .relaxed), ContinuousClock.now < end else { return }
            do {
                let identity = try await Workers.run { ahead.identity(of: name) }
                let file = try await ArchivableFile.read(ahead.path(of: name))
                guard let identity, file.systemIdentifier == system else { return }
                try await store(file, in: archives, log)
                try await Workers.run { ahead.note(name, identity) }
            } catch {
                isOver.store(true, ordering: .relaxed)
            }
        }
    }

    /// Stores a file in every repository, durably.
    static func store(
        _ file: ArchivableFile, in archives: [InstanceRepository], _ log: @escaping @Sendable (String) -> Void
    ) async throws {
        try await everywhere(archives, of: file, name: \.repository.name, log) { archive in
            // Its repository may have vanished since it was opened.
            try await archive.repository.checkPresence()
            try await put(file, in: archive, log)
        }
    }

    /// - Throws: the last failure; the others are logged.
    private static func everywhere<Place: Sendable>(
        _ places: [Place], of file: ArchivableFile, name: @escaping @Sendable (Place) -> String,
        _ log: (String) -> Void, _ work: @escaping @Sendable (Place) async throws -> Void
    ) async throws {
        if let remark = file.remark { log("\(file.name.text) is archived without an index: \(remark)") }
        let failures = try await concurrently(places) { place -> FleetError? in
            do {
                try await work(place)
                return nil
            } catch {
                return FleetError(error, "storing it failed").during(
                    "\(file.name.text) is not archived in the repository \(name(place))")
            }
        }.compactMap { $0 }
        for failure in failures.dropLast() { log(failure.description) }
        if let failure = failures.last { throw failure }
    }

    private static func put(
        _ file: ArchivableFile, in instance: InstanceRepository, _ log: (String) -> Void
    ) async throws {
        let system: SystemIdentifier
        if let identifier = file.systemIdentifier {
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
            log("\(file.name.text) is in the repository \(instance.repository.name) already, with the same content")
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
