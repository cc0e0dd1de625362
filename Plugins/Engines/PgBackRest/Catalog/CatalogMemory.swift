import DurableFiles
import FleetPluginAPI
import Synchronization

/// What was read once from repositories and cannot change: summaries of segments, histories, tablespaces of backups.
///
/// A file of JSON lines in fleet's state directory, so that a window of thousands of segments is read once and not at
/// every look. It may be lost or torn at any time: then it is read again. Lines of what the repositories no longer
/// hold are dropped when they are the greater part.
final class CatalogMemory: Sendable {
    let file: String
    private let disk = Disk()
    private let state = Mutex(State())

    private struct State {
        var isLoaded = false
        var facts: [String: Fact] = [:]
        var lines = 0
        var segments: [String: LocatedSegment] = [:]
    }

    /// Where each archived segment was found last, by its 24 digits; empty before anybody has looked.
    var segments: [String: LocatedSegment] {
        get { state.withLock { $0.segments } }
        set { state.withLock { $0.segments = newValue } }
    }

    /// One line of the file.
    struct Fact: Hashable, Sendable, Codable {
        /// What it is of, with what tells this content from another: a path with its SHA-1, a backup's label.
        var key: String
        var summary: WALSegmentSummary?
        var segmentSize: UInt64?
        var history: TimelineHistory?
        var tablespaces: [BackupRecord.Tablespace]?
    }

    init(file: String) {
        self.file = file
    }

    /// What is known of these keys.
    func facts(_ keys: some Collection<String>) async throws -> [String: Fact] {
        try await load()
        return state.withLock { state in
            Dictionary(keys.compactMap { key in state.facts[key].map { (key, $0) } }, uniquingKeysWith: { $1 })
        }
    }

    func fact(_ key: String) async throws -> Fact? {
        try await facts([key])[key]
    }

    /// Remembers them. What cannot be written is only read again.
    func add(_ facts: [Fact]) async {
        guard !facts.isEmpty else { return }
        state.withLock { state in
            for fact in facts { state.facts[fact.key] = fact }
            state.lines += facts.count
        }
        let lines = facts.compactMap { fact in try? JSONText.encode(fact) + [Self.newline] }.flatMap { $0 }
        try? await disk.run { [file] in
            try BlockingDisk.makeDirectories(Self.folder(file), mode: 0o750)
            try BlockingDisk.append(lines, to: file, WriteOptions(mode: 0o600))
        }
    }

    /// Forgets all others where they are more than half of what is kept.
    func keepOnly(_ keys: Set<String>) async {
        let kept: [Fact]? = state.withLock { state in
            guard state.isLoaded, state.lines > 64, state.lines > 2 * keys.count else { return nil }
            state.facts = state.facts.filter { keys.contains($0.key) }
            state.lines = state.facts.count
            return Array(state.facts.values)
        }
        guard let kept else { return }
        let bytes = kept.compactMap { fact in try? JSONText.encode(fact) + [Self.newline] }.flatMap { $0 }
        try? await disk.write(bytes, to: file, WriteOptions(mode: 0o600))
    }

    private func load() async throws {
        guard !state.withLock({ $0.isLoaded }) else { return }
        let (facts, lines) = try await disk.run { [file] in
            let bytes = (try? BlockingDisk.readIfPresent(file, limit: 1 << 30)) ?? nil
            let lines = (bytes ?? []).split(separator: Self.newline)
            // A line that was torn says nothing.
            return (lines.compactMap { try? JSONText.decode(Fact.self, Array($0), file) }, lines.count)
        }
        state.withLock { state in
            guard !state.isLoaded else { return }
            for fact in facts where state.facts[fact.key] == nil { state.facts[fact.key] = fact }
            state.lines += lines
            state.isLoaded = true
        }
    }

    private static let newline = UInt8(ascii: "\n")

    private static func folder(_ path: String) -> String {
        path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    }
}
