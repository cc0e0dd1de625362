import FleetPluginAPI
import PostgresFormats

/// Puts the readings of all repositories together, and fetches what the listings do not say.
struct CatalogBuilder {
    let readings: [RepositoryReading]
    let memory: CatalogMemory
    let questions: RepositoryQuestions
    private var catalog = Catalog()
    /// Memory that is still of use.
    private var keys: Set<String> = []

    /// How long segments are fetched for their summaries at one look. What is left is fetched when a plan needs it,
    /// and at the next look: an archive of thousands of segments must not keep anybody waiting.
    static let patience = Duration.seconds(6)

    init(_ readings: [RepositoryReading], memory: CatalogMemory, questions: RepositoryQuestions) {
        self.readings = readings
        self.memory = memory
        self.questions = questions
        for reading in readings {
            if let failure = reading.failure {
                catalog.problems.append(.init(subject: reading.repository.name, error: failure))
            }
            catalog.problems += reading.problems
            catalog.backups += reading.backups
        }
        catalog.backups.sort { ($0.stopTime, $0.label) < ($1.stopTime, $1.label) }
    }

    private mutating func add(_ error: FleetError, _ subject: String) {
        catalog.problems.append(.init(subject: subject, error: error))
    }

    /// Where a history file lies.
    private struct LocatedHistory: Sendable {
        var timeline: TimelineID
        var repository: Int
        var archiveID: String
        var file: ArchiveListing.File

        var memoryKey: String { "history:\(archiveID)/\(file.identity)" }
    }

    mutating func addHistories() async throws {
        var located: [TimelineID: LocatedHistory] = [:]
        for reading in readings {
            guard let archive = reading.archive, let server = reading.server else { continue }
            for (timeline, file) in archive.histories where located[timeline] == nil {
                located[timeline] = LocatedHistory(
                    timeline: timeline, repository: reading.repository.key, archiveID: server.archiveID, file: file)
            }
        }
        keys.formUnion(located.values.map(\.memoryKey))
        let known = try await memory.facts(located.values.map(\.memoryKey))
        catalog.timelines = known.values.compactMap(\.history)
        let missing = located.values.filter { known[$0.memoryKey] == nil }
        let read = try await Work.concurrently(missing) { [questions] history in
            (history, await Self.read(history, questions))
        }
        var facts: [CatalogMemory.Fact] = []
        for (history, outcome) in read {
            switch outcome {
            case .success(let found):
                catalog.timelines.append(found)
                facts.append(.init(key: history.memoryKey, history: found))
            case .failure(let error): add(error, TimelineHistory.fileName(of: history.timeline))
            }
        }
        await memory.add(facts)
    }

    private static func read(
        _ history: LocatedHistory, _ questions: RepositoryQuestions
    ) async -> Result<TimelineHistory, FleetError> {
        do {
            let path = "archive/\(questions.program.stanza)/\(history.archiveID)/\(history.file.path)"
            let bytes = try await questions.file(path, in: history.repository)
            return .success(try TimelineHistory(file: bytes, timeline: history.timeline))
        } catch {
            return .failure(FleetError(error, "a history cannot be read"))
        }
    }

    /// Where the tablespaces of each backup were: `info` says it of one backup at a time.
    mutating func addTablespaces() async throws {
        let repositories = Dictionary(
            readings.map { ($0.repository.name, $0.repository.key) }, uniquingKeysWith: { first, _ in first })
        func key(_ backup: BackupRecord) -> String { "backup:\(backup.repository)/\(backup.label)" }
        keys.formUnion(catalog.backups.map(key))
        let known = try await memory.facts(catalog.backups.map(key))
        let unknown = catalog.backups.indices.filter { index in
            if let fact = known[key(catalog.backups[index])] {
                catalog.backups[index].tablespaces = fact.tablespaces ?? []
                return false
            }
            return catalog.backups[index].problem == nil
        }
        let asked = unknown.map { (index: $0, backup: catalog.backups[$0]) }
        let answers = try await Work.concurrently(asked) { [questions] asked in
            let repository = repositories[asked.backup.repository] ?? 1
            return (asked.index, await Self.tablespaces(asked.backup.label, repository, questions))
        }
        var facts: [CatalogMemory.Fact] = []
        for (index, answer) in answers {
            switch answer {
            case .success(let tablespaces):
                catalog.backups[index].tablespaces = tablespaces
                facts.append(.init(key: key(catalog.backups[index]), tablespaces: tablespaces))
            case .failure(let error):
                catalog.backups[index].problem = "its manifest cannot be read"
                add(error, catalog.backups[index].label)
            }
        }
        await memory.add(facts)
    }

    private static func tablespaces(
        _ label: String, _ repository: Int, _ questions: RepositoryQuestions
    ) async -> Result<[BackupRecord.Tablespace], FleetError> {
        do {
            do {
                return .success(try await questions.tablespaces(of: label, in: repository))
            } catch let error as FleetError where error.code == .configuration {
                // Versions whose `info --set` writes no JSON: the manifest says it as well.
                let path = "backup/\(questions.program.stanza)/\(label)/backup.manifest"
                return .success(ManifestTargets.tablespaces(try await questions.file(path, in: repository)))
            }
        } catch {
            return .failure(FleetError(error, "the backup \(label) cannot be read"))
        }
    }
}

extension CatalogBuilder {
    /// Lists every segment that is there, with its summary where that is known or can be had soon.
    mutating func addSegments() async throws {
        let located = LocatedSegment.all(in: readings)
        memory.segments = located
        keys.formUnion(located.values.map(\.memoryKey))
        var facts = try await memory.facts(located.values.map(\.memoryKey))
        // The newest first: they say how far recovery can go.
        let missing = located.values.filter { facts[$0.memoryKey] == nil }
            .sorted { ($0.file.time, $0.name) > ($1.file.time, $1.name) }
        var damaged: Set<String> = []
        for (segment, outcome) in try await fetch(missing) {
            switch outcome {
            case .success(let fact): facts[segment.memoryKey] = fact
            case .failure(let error):
                if error.code == .corrupted { damaged.insert(segment.name) }
                add(error, segment.name)
            }
        }
        let size = facts.values.lazy.compactMap(\.segmentSize).first ?? WALSegmentName.defaultSegmentSize
        if !located.isEmpty { catalog.segmentSize = size }
        // Recovery cannot read a damaged one, so it counts as missing.
        catalog.segments = located.values.filter { !damaged.contains($0.name) }.compactMap { segment in
            WALSegmentName(segment.name, segmentSize: size).map { name in
                .init(
                    name: name, archivedAt: segment.file.time, storedSize: segment.file.size,
                    summary: facts[segment.memoryKey]?.summary)
            }
        }
        catalog.segments.sort { $0.name < $1.name }
    }

    private typealias Fetched = (LocatedSegment, Result<CatalogMemory.Fact, FleetError>)

    /// Fetches as many as there is time for, at least a few; what was fetched is remembered at once, so that a look
    /// that is broken off has not been in vain.
    private func fetch(_ segments: [LocatedSegment]) async throws -> [Fetched] {
        let end = ContinuousClock.now + Self.patience
        var fetched: [Fetched] = []
        var rest = segments[...]
        while !rest.isEmpty, fetched.isEmpty || ContinuousClock.now < end {
            let some = rest.prefix(8)
            rest = rest.dropFirst(8)
            let wave = try await Work.concurrently(some) { [questions] segment -> Fetched in
                do {
                    let content = try await segment.content(questions)
                    return (segment, .success(try await Work.run { try segment.fact(content) }))
                } catch {
                    return (segment, .failure(FleetError(error, "\(segment.name) cannot be read")))
                }
            }
            await memory.add(wave.compactMap { try? $0.1.get() })
            fetched += wave
            try Task.checkCancellation()
            // Everything else would say the same.
            if wave.contains(where: { if case .failure(let error) = $0.1 { error.isSilence } else { false } }) { break }
        }
        return fetched
    }

    /// The whole, checked against itself.
    mutating func finish() async -> Catalog {
        addTimelines()
        checkBackups()
        if readings.allSatisfy({ $0.failure == nil }) { await memory.keepOnly(keys) }
        return catalog
    }

    private mutating func addTimelines() {
        let seen = Set(catalog.segments.map(\.name.timeline))
        if seen.contains(1) || !catalog.timelines.isEmpty || !catalog.backups.isEmpty {
            catalog.timelines.append(TimelineHistory(timeline: 1))
        }
        catalog.timelines.sort { $0.timeline < $1.timeline }
        for timeline in seen.subtracting(catalog.timelines.map(\.timeline)).sorted() {
            let name = TimelineHistory.fileName(of: timeline)
            add(
                FleetError(
                    .corrupted, "timeline \(timeline) has no history in the archive",
                    hint: "copy \(name) from the server's pg_wal with pgbackrest archive-push"), name)
        }
    }

    /// A backup without the WAL of its own time cannot be made consistent.
    private mutating func checkBackups() {
        guard let size = catalog.segmentSize else { return }
        let system = readings.lazy.compactMap(\.server?.systemIdentifier).first
        let names = Set(catalog.segments.map(\.name))
        for index in catalog.backups.indices {
            let backup = catalog.backups[index]
            guard backup.problem == nil, backup.systemIdentifier == system, backup.stopLSN > backup.startLSN else {
                continue
            }
            let last = (backup.stopLSN.rawValue - 1) / size
            let missing = (backup.startLSN.rawValue / size...last).lazy
                .map { WALSegmentName(timeline: backup.timeline, number: $0, segmentSize: size) }
                .first { !names.contains($0) }
            if let missing { catalog.backups[index].problem = "WAL segment \(missing), which it needs, is missing" }
        }
    }
}
