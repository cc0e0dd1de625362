public import FleetPluginAPI
import PostgresFormats

extension PgBackRestEngine {
    public func catalog(_ context: EngineContext) async throws -> Catalog {
        let questions = try RepositoryQuestions(self, context)
        let readings = try await read(questions, context)
        try Self.refuseSilence(readings, context.instance.name)
        var builder = CatalogBuilder(readings, memory: memory, questions: questions)
        try await builder.addHistories()
        try await builder.addTablespaces()
        try await builder.addSegments()
        return await builder.finish()
    }

    func read(_ questions: RepositoryQuestions, _ context: EngineContext) async throws -> [RepositoryReading] {
        let stanza = try await questions.info().stanza(program.stanza)
        var readings: [RepositoryReading] = []
        for repository in repositories(context) {
            readings.append(await RepositoryReading.read(repository, stanza, questions))
        }
        return readings
    }

    /// Repositories that cannot be reached are not empty ones.
    private static func refuseSilence(_ readings: [RepositoryReading], _ instance: String) throws {
        let failures = readings.compactMap(\.failure)
        guard failures.count == readings.count, let last = failures.last(where: { $0.isSilence }),
            failures.allSatisfy(\.isSilence)
        else { return }
        throw FleetError(
            .unavailable, "no repository of \(instance) can be read",
            cause: last.message + (last.cause.map { ": \($0)" } ?? ""), hint: last.hint)
    }

    public func segment(_ name: WALSegmentName, _ context: EngineContext) async throws -> [UInt8] {
        try await archived("\(name)", context).content
    }

    public func summary(of name: WALSegmentName, _ context: EngineContext) async throws -> WALSegmentSummary? {
        if let located = memory.segments["\(name)"], let known = try await memory.fact(located.memoryKey)?.summary {
            return known
        }
        let (located, content) = try await archived("\(name)", context)
        let fact = try await Work.run { try located.fact(content) }
        await memory.add([fact])
        return fact.summary
    }

    /// A segment's content from the first repository that has it.
    private func archived(
        _ name: String, _ context: EngineContext
    ) async throws -> (located: LocatedSegment, content: [UInt8]) {
        let questions = try RepositoryQuestions(self, context)
        if let located = memory.segments[name] {
            do {
                return (located, try await located.content(questions))
            } catch let error as FleetError where error.code == .notFound || error.code == .failed {
                // Expired since, or the whole repository is gone: looking again tells which.
            }
        }
        let readings = try await read(questions, context)
        try Self.refuseSilence(readings, context.instance.name)
        memory.segments = LocatedSegment.all(in: readings)
        guard let located = memory.segments[name] else {
            throw FleetError(.notFound, "\(name) is in no archive of \(context.instance.name)")
        }
        return (located, try await located.content(questions))
    }
}

extension FleetError {
    /// Nobody answered: nothing can be said of what there is.
    var isSilence: Bool { code == .unavailable || code == .denied || code == .timedOut }
}

/// An archived segment with where it lies.
struct LocatedSegment: Sendable {
    var name: String
    var repository: RepositoryKey
    /// `15-1`
    var archiveID: String
    var file: ArchiveListing.File

    /// By name, each in the first repository that has it; of the server that the stanza serves now.
    static func all(in readings: [RepositoryReading]) -> [String: LocatedSegment] {
        let system = readings.lazy.compactMap(\.server?.systemIdentifier).first
        var all: [String: LocatedSegment] = [:]
        for reading in readings where reading.server?.systemIdentifier == system {
            guard let archive = reading.archive, let server = reading.server else { continue }
            for (name, file) in archive.segments where all[name] == nil && !archive.duplicates.contains(name) {
                all[name] = LocatedSegment(
                    name: name, repository: reading.repository, archiveID: server.archiveID, file: file)
            }
        }
        return all
    }

    /// The path carries the SHA-1 of the content.
    var memoryKey: String { "wal:\(archiveID)/\(file.path)" }

    /// - Throws: `corrupted`, `notFound`, `unavailable`.
    func content(_ questions: RepositoryQuestions) async throws -> [UInt8] {
        let path = "archive/\(questions.program.stanza)/\(archiveID)/\(file.path)"
        let bytes = try await questions.file(path, in: repository.key, tool: file.compression.tool)
        return try await Work.run { [file] in try ArchivedContent.decode(bytes, file) }
    }

    /// What is to be remembered of it. Takes processor time.
    func fact(_ content: [UInt8]) throws -> CatalogMemory.Fact {
        CatalogMemory.Fact(
            key: memoryKey, summary: try ArchivedContent.summary(content, name), segmentSize: UInt64(content.count))
    }
}
