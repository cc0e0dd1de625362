import DurableFiles
public import FleetPluginAPI
import FoundationEssentials
import Glibc
import ProcessRunner
import UnixSignals

extension HostPlatform {
    /// `fleet agent supervise-task DIRECTORY`: runs one task to its end and writes down how it ended, whatever becomes
    /// of the coordinator that asked for it. Secrets come as a JSON object on standard input.
    public static let supervisorVerb = InternalVerb(name: "supervise-task") { arguments in
        guard arguments.count == 1, let directory = arguments.first, directory.hasPrefix("/") else {
            return ExitStatus.usage.rawValue
        }
        do {
            try await TaskSupervisor(folder: TaskFolder(path: directory)).run()
            return ExitStatus.done.rawValue
        } catch {
            let text = "\(Timestamp.now) supervisor: \(FleetError(error, "the task \(directory)"))\n"
            _ = write(2, text, text.utf8.count)
            return ExitStatus.failed.rawValue
        }
    }
}

/// Carries out one task in a process of its own.
struct TaskSupervisor: Sendable {
    let folder: TaskFolder
    private let disk = Disk()

    /// The exit status of a task that was ended at its deadline, as timeout(1) has it.
    static let deadlineStatus: Int32 = 124
    /// How long a task has between SIGTERM and SIGKILL.
    private static let grace = Duration.seconds(10)

    init(folder: TaskFolder) {
        self.folder = folder
    }

    func run() async throws {
        // Before anything else: from now on a signal is a wish to end the task, and no longer the end of this process.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let secrets = try await disk.run { try TaskSecrets.decode(Self.readInput()) }
        // Long enough for an observer who holds it for a moment; another supervisor holds it for good.
        guard
            let lock = try? await FileLock.acquire(
                folder.lock, deadline: .seconds(5), options: WriteOptions(mode: 0o600))
        else { return }
        defer { lock.release() }
        guard let work = try await begin() else { return }
        let startedAt = Timestamp.now
        let status = try await carryOut(work, secrets, signals)
        let outcome = TaskOutcome(exitStatus: status, startedAt: startedAt, endedAt: .now)
        try await disk.run { [folder] in try folder.write(outcome) }
    }

    /// Writes that it begins; nil when the task is over, or was begun by a supervisor that died.
    private func begin() async throws -> TaskFolder.Work? {
        try await disk.run { [folder] in
            guard try folder.outcome == nil, try folder.start == nil, let work = try folder.work,
                let me = ProcessIdentity.current
            else { return nil }
            try folder.write(TaskFolder.Start(supervisor: me, startedAt: .now))
            return work
        }
    }

    private func carryOut(
        _ work: TaskFolder.Work, _ secrets: [String: Secret], _ signals: UnixSignalsSequence
    ) async throws -> Int32 {
        let variables = work.spec.environment.merging([folder.marker.name: folder.marker.value]) { $1 }
        let command = Command(
            work.spec.argv, environment: .minimal.adding(variables), secrets: secrets, workingDirectory: "/",
            user: work.user)
        let process: DetachedProcess
        do {
            process = try await command.startDetached(
                output: .appended(folder.output), errors: .appended(folder.errors))
        } catch {
            // A program that cannot be started is a task that failed, as in a shell.
            let failure = FleetError(error, "cannot start \(work.spec.purpose)")
            try await note("\(failure)")
            return failure.code == .notFound ? 127 : 126
        }
        try await disk.run { [folder] in try folder.write(process.identity) }
        let cause = try await waitForEnd(of: process, work.spec.deadline, signals)
        try await process.identity.endSession(grace: Self.grace)
        switch cause {
        case .ended: break
        case .deadline(let deadline): try await note("ended after its deadline of \(DurationText.text(deadline))")
        case .cancelled: try await note("ended because it was cancelled")
        }
        let status = try await process.status().shellCode
        if case .deadline = cause { return Self.deadlineStatus }
        return status
    }

    private enum Cause: Sendable {
        case ended, deadline(Duration), cancelled
    }

    private func waitForEnd(
        of process: DetachedProcess, _ deadline: Duration?, _ signals: UnixSignalsSequence
    ) async throws -> Cause {
        try await withThrowingTaskGroup(of: Cause.self) { group in
            group.addTask {
                _ = try await process.status()
                return .ended
            }
            if let deadline {
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return .deadline(deadline)
                }
            }
            group.addTask {
                for await _ in signals { return .cancelled }
                return .cancelled
            }
            defer { group.cancelAll() }
            let first = try await group.next() ?? .ended
            guard case .ended = first else {
                // The waiting child task ends only when the process does, so it is ended here.
                try await process.identity.endSession(grace: Self.grace)
                return first
            }
            return first
        }
    }

    /// A line at the end of what the task wrote to stderr.
    private func note(_ text: String) async throws {
        try await disk.append(Array("fleet: \(text)\n".utf8), to: folder.errors)
    }

    private static func readInput() throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 16 << 20 {
            let count = read(0, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FleetError(.failed, "standard input cannot be read") }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
        throw FleetError(.exhausted, "the secrets of a task are larger than 16 MiB")
    }
}
