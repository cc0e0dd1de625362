import FleetPluginAPI
import PostgresFormats

/// Puts the readings of all repositories together, and fetches what the listings do not say.
struct CatalogBuilder {
    let readings: [RepositoryReading]
    let memory: CatalogMemory
    let questions: RepositoryQuestions
    var catalog = Catalog()
    /// Memory that is still of use.
    var keys: Set<String> = []

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

    mutating func add(_ error: FleetError, _ subject: String) {
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
}
