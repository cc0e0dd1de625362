import DurableFiles
public import FleetPluginAPI
import FoundationEssentials
import Glibc
import ProcessRunner

extension HostPlatform {
    public func launch(_ task: TaskSpec, for instance: Instance) async throws {
        let folder = try TaskFolder(state: context.stateDirectory, instance: instance.name, key: task.key)
        let host = try await HostInstance.resolve(instance, on: disk)
        // One launcher at a time; the next one finds the first one's supervisor.
        let launching = try await FileLock.acquire(
            "\(folder.path)/launch", deadline: .seconds(30), options: WriteOptions(mode: 0o600, directoryMode: 0o700))
        defer { launching.release() }
        switch try await observe(folder) {
        case .running, .finished: return
        case .absent, .lost: break
        }
        let secrets = try await task.secrets.resolved(context.resolve)
        let user = host.owner.userID == geteuid() ? nil : host.owner
        try await disk.run {
            try folder.clear()
            try folder.write(TaskFolder.Work(spec: task, user: user))
        }
        var supervisor = Command(
            context.agent.internalArgv(Self.supervisorVerb.name, [folder.path]), environment: .minimal,
            workingDirectory: "/")
        supervisor.input = try TaskSecrets.encode(secrets)
        let process = try await supervisor.startDetached(
            output: .appended(folder.supervisorLog), errors: .appended(folder.supervisorLog))
        try await awaitStart(of: folder, process.identity)
    }

    /// Waits until the supervisor has written that it is at work: from then on the task is found again.
    private func awaitStart(of folder: TaskFolder, _ supervisor: ProcessIdentity) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let isAlive = supervisor.isAlive
            let known = try await disk.run { try (folder.start != nil, folder.outcome != nil) }
            if known.0 || known.1 { return }
            guard isAlive else {
                let said = try await disk.run { try LogTail.read(folder.supervisorLog, lines: 5) }
                throw FleetError(
                    .failed, "the supervisor of the task \(folder.path) ended before it began",
                    cause: said.joined(separator: "; "), hint: "check that \(context.agent.executable) can be run")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw FleetError(.timedOut, "the supervisor of the task \(folder.path) did not begin within a minute")
    }

    public func observeTask(_ key: String, of instance: Instance) async throws -> TaskObservation {
        try await observe(TaskFolder(state: context.stateDirectory, instance: instance.name, key: key))
    }

    func observe(_ folder: TaskFolder) async throws -> TaskObservation {
        let known = try await disk.run { try (folder.outcome, folder.work != nil) }
        if let outcome = known.0 { return .finished(outcome) }
        guard known.1 else { return .absent }
        if try await FileLock.isHeld(folder.lock) { return .running }
        // The supervisor writes the outcome before it lets go of its lock: look again, then for what it left.
        return try await disk.run {
            if let outcome = try folder.outcome { return .finished(outcome) }
            guard try OrphanedTask.members(of: folder).isEmpty else { return .running }
            return try folder.start == nil ? .absent : .lost
        }
    }

    /// The lines of a file that is being written; what has no line break yet is no line before the task has ended.
    public func taskOutput(_ key: String, of instance: Instance, from line: Int) async throws -> [String] {
        let folder = try TaskFolder(state: context.stateDirectory, instance: instance.name, key: key)
        let hasEnded =
            switch try await observe(folder) {
            case .running: false
            case .absent, .finished, .lost: true
            }
        return try await disk.run { [outputs] in try outputs.lines(of: folder.output, from: line, isWhole: hasEnded) }
    }

    public func taskErrors(_ key: String, of instance: Instance) async throws -> String {
        let folder = try TaskFolder(state: context.stateDirectory, instance: instance.name, key: key)
        return try await disk.run {
            let own = try LogTail.read(folder.errors, lines: 200)
            let supervisor = try LogTail.read(folder.supervisorLog, lines: 20)
            return (own + supervisor).joined(separator: "\n")
        }
    }

    public func cancelTask(_ key: String, of instance: Instance) async throws {
        let folder = try TaskFolder(state: context.stateDirectory, instance: instance.name, key: key)
        let end = ContinuousClock.now + .seconds(60)
        while try await observe(folder) == .running {
            guard ContinuousClock.now < end else {
                throw FleetError(.timedOut, "the task \(key) of \(instance.name) did not end within a minute")
            }
            if try await FileLock.isHeld(folder.lock) {
                try await disk.run { _ = try folder.start?.supervisor.signal(SIGTERM) }
            } else {
                try await OrphanedTask.end(folder, on: disk)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    public func forgetTask(_ key: String, of instance: Instance) async throws {
        let folder = try TaskFolder(state: context.stateDirectory, instance: instance.name, key: key)
        guard try await observe(folder) != .running else {
            throw FleetError(
                .refused, "the task \(key) of \(instance.name) cannot be forgotten: it is running", hint: "cancel it")
        }
        try await disk.run { [outputs] in
            outputs.forget(folder.output)
            try BlockingDisk.removeTree(folder.path)
        }
    }
}

/// Secrets on their way to the supervisor, through its standard input.
enum TaskSecrets {
    static func encode(_ secrets: [String: Secret]) throws -> [UInt8] {
        [UInt8](try JSONEncoder().encode(secrets.mapValues { secret in secret.reveal { $0 } }))
    }

    static func decode(_ bytes: [UInt8]) throws -> [String: Secret] {
        do {
            return try JSONDecoder().decode([String: String].self, from: Data(bytes)).mapValues { Secret($0) }
        } catch {
            // Not the decoder's own words: they may quote what it read.
            throw FleetError(.protocolViolation, "the secrets of a task cannot be read from standard input")
        }
    }
}

/// What is left of a task whose supervisor died.
enum OrphanedTask {
    /// Found by the session of its first process and by the variable in the environment. Blocks.
    static func members(of folder: TaskFolder) throws -> [ProcessIdentity] {
        members(session: try folder.child, folder.marker)
    }

    static func end(_ folder: TaskFolder, on disk: Disk) async throws {
        let (child, marker) = (try await disk.run { try folder.child }, folder.marker)
        try await ProcessIdentity.end(grace: .seconds(10)) { members(session: child, marker) }
    }

    private static func members(session: ProcessIdentity?, _ marker: (name: String, value: String)) -> [ProcessIdentity]
    {
        let marked = ProcessTable.all(withVariable: marker.name, marker.value)
        return Array(Set((session?.sessionMembers() ?? []) + marked.compactMap { ProcessIdentity(pid: $0.pid) }))
    }
}
