import DurableFiles
import FleetPluginAPI
import Glibc
import ProcessRunner

extension ProcessScaler {
    /// Also for starting it again after its supervisor died: that takes over the copies that live.
    ///
    /// - Throws: `unsupported` for more than one copy of a unit.
    public func setDesired(_ count: Int?) async throws {
        let changing = try await lock()
        defer { changing.release() }
        if let record = try await disk.run({ try folder.record }) {
            throw FleetError(
                .conflict, "the application \(application) cannot be scaled now",
                cause: "the run \(record.run) has taken it down and will bring back \(record.original) copies",
                hint: "wait for that run, or resume, abort or undo it", retriable: false)
        }
        switch kind {
        case .command(let definition): try await apply(count ?? declaredCount, definition)
        case .unit(let unit): try await setUnit(unit, count ?? declaredCount)
        }
    }

    func observeCopies(_ definition: ApplicationDefinition) async throws -> ScaleObservation {
        let isSupervised = try await FileLock.isHeld(folder.supervisorLock)
        return try await disk.run {
            let (status, desired) = try (folder.status, folder.desired)
            let found = ApplicationProcesses.find(folder, status)
            var remarks: [String] = []
            if desired == nil {
                remarks.append("it was never started: fleet applications start \(application)")
            } else if !isSupervised, !found.copies.isEmpty || (desired?.count ?? 0) > 0 {
                remarks.append("its supervisor is gone: fleet applications start \(application) brings it back")
            }
            for copy in status?.copies ?? [] {
                if copy.restarts > 0, let end = copy.lastEnd {
                    remarks.append("copy \(copy.number) was restarted \(copy.restarts) times: \(end)")
                }
            }
            let ready = try found.copies.keys.filter { try isReady($0, found, definition) }
            return ScaleObservation(
                desired: desired?.count ?? 0, running: found.copies.count, ready: ready.count,
                record: try folder.record, remarks: remarks)
        }
    }

    private func isReady(
        _ number: Int, _ found: ApplicationProcesses, _ definition: ApplicationDefinition
    ) throws -> Bool {
        guard let leader = found.leader(of: number), let age = ProcessTable.age(of: leader) else { return false }
        if let file = definition.readyFile, try BlockingDisk.status(file, followingLinks: true) == nil { return false }
        return age >= .seconds(definition.startSeconds)
    }

    /// Writes down the count and makes sure that a supervisor follows it. The caller holds the lock.
    func apply(_ count: Int, _ definition: ApplicationDefinition) async throws {
        let desired = try await disk.run {
            let last = try folder.desired
            try folder.write(definition)
            let next = ApplicationFolder.Desired(count: count, generation: (last?.generation ?? 0) + 1)
            try folder.write(next)
            return next
        }
        try await engage(desired)
    }

    /// Waits until a living supervisor knows this wish, starting one when there is none; nothing is left to do when
    /// none are wanted and none are there.
    private func engage(_ desired: ApplicationFolder.Desired) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            let status = try await disk.run { try folder.status }
            if let status, status.generation >= desired.generation { return }
            if try await FileLock.isHeld(folder.supervisorLock) {
                try status?.supervisor.signal(SIGHUP)
            } else {
                let isEmpty = try await disk.run { ApplicationProcesses.find(folder, status).copies.isEmpty }
                if desired.count == 0, isEmpty { return }
                try await startSupervisor()
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        let said = (try? await disk.read(folder.supervisorLog, limit: 1 << 20)).map {
            String(decoding: $0, as: UTF8.self)
        }
        throw FleetError(
            .failed, "the supervisor of the application \(application) does not answer",
            cause: said?.split(whereSeparator: \.isNewline).last.map(String.init),
            hint: "check that \(agent.executable) can be run")
    }

    private func startSupervisor() async throws {
        let command = Command(
            agent.internalArgv(Self.supervisorVerb.name, [folder.path]), environment: .minimal, workingDirectory: "/")
        let process = try await command.startDetached(
            output: .appended(folder.supervisorLog), errors: .appended(folder.supervisorLog))
        // Until it has its lock or has ended: two would only get in each other's way.
        let end = ContinuousClock.now + .seconds(20)
        while process.identity.isAlive, ContinuousClock.now < end {
            let status = try await disk.run { try folder.status }
            if status?.supervisor == process.identity { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func awaitCopiesGone(_ definition: ApplicationDefinition, _ deadline: Duration) async throws {
        let end = ContinuousClock.now + deadline
        while true {
            let found = try await disk.run { ApplicationProcesses.find(folder, try folder.status) }
            if found.copies.isEmpty { return }
            guard ContinuousClock.now < end else {
                let left = found.all.map { "process \($0.pid) (\($0.name))" }.joined(separator: ", ")
                throw FleetError(
                    .timedOut, "the application \(application) is not gone after \(DurationText.text(deadline))",
                    cause: "left: \(left)", hint: "look what these processes wait for")
            }
            // A supervisor that died leaves copies that nobody ends.
            if let desired = try await disk.run({ try folder.desired }), desired.count == 0,
                try await !FileLock.isHeld(folder.supervisorLock)
            {
                try await startSupervisor()
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
