import DurableFiles
public import FleetPluginAPI
import FoundationEssentials
import Glibc
import ProcessRunner
import UnixSignals

extension ProcessScaler {
    /// What `fleet agent` must answer to for this scaler.
    public static let internalVerbs = [supervisorVerb]

    /// `fleet agent supervise-application DIRECTORY`: keeps the copies of one application alive until none are wanted.
    /// SIGHUP makes it look at what is wanted, SIGTERM ends the copies and itself.
    public static let supervisorVerb = InternalVerb(name: "supervise-application") { arguments in
        guard arguments.count == 1, let directory = arguments.first, directory.hasPrefix("/") else {
            return ExitStatus.usage.rawValue
        }
        do {
            try await ApplicationSupervisor(folder: ApplicationFolder(path: directory)).run()
            return ExitStatus.done.rawValue
        } catch {
            let text = "supervisor: \(FleetError(error, "the application \(directory)"))\n"
            _ = write(2, text, text.utf8.count)
            return ExitStatus.failed.rawValue
        }
    }
}

/// Keeps as many copies of an application alive as are wanted, in a process of its own.
actor ApplicationSupervisor {
    let folder: ApplicationFolder
    let disk = Disk()
    private let identity: ProcessIdentity
    private var generation = 0
    private var copies: [Int: ApplicationFolder.Copy] = [:]
    private var runners: [Int: Task<Void, Never>] = [:]
    private let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    init(folder: ApplicationFolder) throws {
        self.folder = folder
        guard let identity = ProcessIdentity.current else { throw FleetError(.unavailable, "/proc cannot be read") }
        self.identity = identity
        (events, continuation) = AsyncStream<Event>.makeStream()
    }

    private enum Event: Sendable {
        case look, end
    }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup, .sigterm, .sigint)
        guard
            let lock = try? await FileLock.acquire(
                folder.supervisorLock, deadline: .seconds(5), options: WriteOptions(mode: 0o600))
        else { return }
        defer { lock.release() }
        try await adopt()
        let listening = Task { [continuation] in
            for await signal in signals { continuation.yield(signal == .sighup ? .look : .end) }
        }
        let ticking = Task { [continuation] in
            // Should a signal be lost, what is wanted is seen a moment later.
            while !Task.isCancelled {
                continuation.yield(.look)
                try? await Task.sleep(for: .seconds(1))
            }
        }
        defer {
            listening.cancel()
            ticking.cancel()
        }
        for await event in events {
            // Without its folder nobody can tell it anything any more.
            let isForsaken = try await disk.run { [folder] in try BlockingDisk.status(folder.path) == nil }
            if isForsaken {
                for runner in runners.values { runner.cancel() }
                for runner in runners.values { await runner.value }
                return
            }
            guard event == .look else {
                for runner in runners.values { runner.cancel() }
                for runner in runners.values { await runner.value }
                return try await save()
            }
            if try await reconcile() { return }
        }
    }

    /// Follows what is wanted; true when nothing is, and nothing is left.
    private func reconcile() async throws -> Bool {
        guard let desired = try await disk.run({ [folder] in try folder.desired }) else { return false }
        for number in 0..<max(0, desired.count) where runners[number] == nil {
            runners[number] = Task {
                await self.keepAlive(number)
                self.forget(number)
            }
        }
        for (number, runner) in runners where number >= desired.count { runner.cancel() }
        // Taken over from a supervisor that died, and not wanted any more.
        for number in copies.keys where number >= desired.count && runners[number] == nil {
            runners[number] = Task {
                await self.retire(number)
                self.forget(number)
            }
        }
        if generation != desired.generation {
            generation = desired.generation
            try await save()
        }
        guard desired.count == 0, runners.isEmpty else { return false }
        // Whatever was left by a supervisor before this one.
        try await endStrays()
        return try await disk.run { [folder] in try folder.desired?.count ?? 0 == 0 }
    }

    /// A copy is over: it may be started again, should that be wanted by now.
    private func forget(_ number: Int) {
        runners[number] = nil
        continuation.yield(.look)
    }

    func save() async throws {
        let status = ApplicationFolder.Status(
            supervisor: identity, generation: generation, copies: copies.values.sorted { $0.number < $1.number })
        try await disk.run { [folder] in try folder.write(status) }
    }

    func copy(_ number: Int) -> ApplicationFolder.Copy? { copies[number] }

    func setCopy(_ number: Int, _ copy: ApplicationFolder.Copy?) async {
        copies[number] = copy
        do {
            try await save()
        } catch {
            log("its status cannot be written: \(FleetError(error, folder.path))")
        }
    }

    /// Takes over what a supervisor before this one left running, and ends what nobody can account for.
    private func adopt() async throws {
        let (found, status) = try await disk.run { [folder] in
            let status = try folder.status
            return (ApplicationProcesses.find(folder, status), status)
        }
        let known = Dictionary((status?.copies ?? []).map { ($0.number, $0) }) { $1 }
        for number in found.copies.keys where number >= 0 {
            guard let entry = found.leader(of: number), let leader = ProcessIdentity(pid: entry.pid),
                leader.startTicks == entry.startTicks
            else { continue }
            copies[number] = ApplicationFolder.Copy(
                number: number, leader: leader, restarts: known[number]?.restarts ?? 0, lastEnd: known[number]?.lastEnd)
        }
        try await endStrays()
        try await save()
    }

    /// Ends processes of the application that are in no session of a known copy.
    private func endStrays() async throws {
        let leaders = copies.values.map(\.leader)
        let folder = folder
        let status = try await disk.run { try folder.status }
        try await ProcessIdentity.end(grace: .seconds(10)) {
            let kept = Set(leaders.flatMap { $0.sessionMembers() })
            return ApplicationProcesses.find(folder, status).identities.filter { !kept.contains($0) }
        }
    }

    nonisolated func log(_ text: String) {
        let line = "supervisor: \(text)\n"
        _ = write(2, line, line.utf8.count)
    }
}
