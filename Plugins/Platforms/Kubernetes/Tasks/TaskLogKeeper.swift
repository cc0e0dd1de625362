import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import KubernetesClient

/// What is kept of tasks on the coordinator's side: `<directory>/<instance>/<key>/`, so that it outlives their Jobs.
///
/// | file | meaning |
/// |---|---|
/// | `launched` | its Job was made |
/// | `log` | lines of its pods as they were read: `<pod's uid> <line>` |
/// | `end.json` | how it ended |
actor TaskLogKeeper {
    private let directory: String
    private let disk = Disk()
    private var tasks: [String: KeptTask] = [:]
    private var readings: [String: Task<Void, any Error>] = [:]
    private var readAt: [String: ContinuousClock.Instant] = [:]
    /// By pod: the time of the last line that was read.
    private var newest: [String: Timestamp] = [:]

    /// A log is read again after this time, while its task runs.
    private static let pause = Duration.milliseconds(400)
    private static let options = WriteOptions(mode: 0o600, directoryMode: 0o700)

    init(directory: String) {
        self.directory = directory
    }

    /// The folder of a task.
    ///
    /// - Throws: `usage` for names that cannot be those of a folder.
    nonisolated func folder(_ key: String, _ instance: String) throws -> String {
        for name in [key, instance] where name.isEmpty || name.hasPrefix(".") || name.contains("/") {
            throw FleetError(.usage, "\(name) cannot be the name of a task or instance")
        }
        return "\(directory)/\(instance)/\(key)"
    }

    func kept(_ folder: String) async throws -> KeptTask {
        if let known = tasks[folder] { return known }
        let bytes = try await disk.readIfPresent("\(folder)/log") ?? []
        // Read by another call while this one waited.
        if let known = tasks[folder] { return known }
        let task = Self.parse(String(decoding: bytes, as: UTF8.self))
        tasks[folder] = task
        return task
    }

    /// What two coordinators appended is there twice; a line that a crash cut off is read again from the pod.
    static func parse(_ text: String) -> KeptTask {
        var task = KeptTask()
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        lines.removeLast()
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let wrapped = WrappedLine(parsing: parts[1]) else { continue }
            _ = task.add(wrapped, pod: String(parts[0]))
        }
        return task
    }

    /// Reads a pod's log and keeps what is new; one reading at a time, and not more often than makes sense.
    ///
    /// - Parameter isFinal: the pod has ended: what is read now is all there is.
    func update(
        _ folder: String, pod: String, isFinal: Bool,
        _ read: @escaping @Sendable (_ since: Timestamp?) async throws -> [LogLine]
    ) async throws {
        if let reading = readings[folder] {
            try await reading.value
            guard isFinal else { return }
        }
        if !isFinal, let last = readAt[folder], ContinuousClock.now - last < Self.pause { return }
        // Whole at last: what no task wrote is told from it then.
        let since = isFinal ? nil : newest[pod]
        let reading = Task { try await self.absorb(try await read(since), pod, folder, isFinal: isFinal) }
        readings[folder] = reading
        defer { readings[folder] = nil }
        try await reading.value
        readAt[folder] = .now
    }

    private func absorb(_ lines: [LogLine], _ pod: String, _ folder: String, isFinal: Bool) async throws {
        var task = try await kept(folder)
        var fresh = ""
        for line in lines.map(\.text) {
            guard let wrapped = WrappedLine(parsing: line) else {
                if isFinal { task.addForeign(line) }
                continue
            }
            if task.add(wrapped, pod: pod) { fresh += "\(pod) \(line)\n" }
        }
        if !fresh.isEmpty { try await disk.append(Array(fresh.utf8), to: "\(folder)/log", Self.options) }
        tasks[folder] = task
        if let last = lines.last { newest[pod] = last.time }
    }

    func noteLaunch(_ folder: String, job: String) async throws {
        try await disk.write(Array(job.utf8), to: "\(folder)/launched", Self.options)
    }

    func wasLaunched(_ folder: String) async throws -> Bool {
        try await disk.status("\(folder)/launched") != nil
    }

    func end(_ folder: String) async throws -> TaskEnd? {
        guard let bytes = try await disk.readIfPresent("\(folder)/end.json", limit: 1 << 20) else { return nil }
        do {
            return try JSONDecoder().decode(TaskEnd.self, from: Data(bytes))
        } catch {
            throw FleetError(.corrupted, "\(folder)/end.json cannot be read", cause: "\(error)")
        }
    }

    func noteEnd(_ folder: String, _ end: TaskEnd) async throws {
        try await disk.write([UInt8](try JSONEncoder().encode(end)), to: "\(folder)/end.json", Self.options)
    }

    func forget(_ folder: String) async throws {
        try await disk.removeTree(folder)
        tasks[folder] = nil
        readAt[folder] = nil
    }
}
