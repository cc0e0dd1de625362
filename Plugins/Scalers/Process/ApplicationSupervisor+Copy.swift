import DurableFiles
import FleetPluginAPI
import Glibc
import ProcessRunner

extension ApplicationSupervisor {
    /// Runs one copy, again and again, until cancelled; then ends it and everything it started.
    func keepAlive(_ number: Int) async {
        var pause = Duration.milliseconds(200)
        while !Task.isCancelled {
            let begun = ContinuousClock.now
            do {
                let end = try await runOnce(number)
                if Task.isCancelled { break }
                log("copy \(number) ended: \(end)")
            } catch is CancellationError {
                break
            } catch {
                let failure = FleetError(error, "copy \(number)")
                log("\(failure)")
            }
            // A copy that lived for a while may come back at once; one that keeps dying is not hurried.
            if ContinuousClock.now - begun > .seconds(10) { pause = .milliseconds(200) }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(30))
        }
        // In a task that nobody has cancelled: ending takes its time and is written down.
        await Task { await retire(number) }.value
    }

    /// Ends a copy and forgets it.
    func retire(_ number: Int) async {
        await end(number)
        await setCopy(number, nil)
    }

    /// Starts a copy, or takes over the one that lives, and waits until it ends. Returns how it ended.
    private func runOnce(_ number: Int) async throws -> String {
        if let kept = copy(number), kept.leader.isAlive {
            try await waitForEnd(of: kept.leader)
            return try await ended(number, kept, "it was gone")
        }
        // Processes that its last leader left behind.
        await Task { await end(number) }.value
        guard let definition = try await disk.run({ [folder] in try folder.definition }) else {
            throw FleetError(.notFound, "\(folder.path) has no definition of the application")
        }
        var account: UserAccount?
        if let user = definition.user { account = try await UserAccount.named(user) }
        let command = definition.command(copy: number, in: folder, as: account)
        try Task.checkCancellation()
        let process = try await Task.detached {
            // Not cut short: a process that nobody knows would be left.
            try await command.startDetached(
                output: .appended(definition.logFile), errors: .appended(definition.logFile))
        }.value
        let last = copy(number)
        let now = ApplicationFolder.Copy(
            number: number, leader: process.identity, restarts: last.map { $0.restarts + 1 } ?? 0,
            lastEnd: last?.lastEnd)
        await setCopy(number, now)
        try await waitForEnd(of: process.identity)
        return try await ended(number, now, process.status().description)
    }

    private func waitForEnd(of leader: ProcessIdentity) async throws {
        while true {
            do {
                return try await leader.waitGone(deadline: .seconds(3600))
            } catch let error as FleetError where error.code == .timedOut {
                continue
            }
        }
    }

    private func ended(_ number: Int, _ copy: ApplicationFolder.Copy, _ how: String) async throws -> String {
        var copy = copy
        copy.lastEnd = how
        await setCopy(number, copy)
        return how
    }

    /// Ends the session of a copy.
    private func end(_ number: Int) async {
        guard let leader = copy(number)?.leader else { return }
        let seconds = (try? await disk.run { [folder] in try folder.definition })?.stopSeconds ?? 10
        while true {
            do {
                return try await leader.endSession(grace: .seconds(seconds))
            } catch {
                // Given up by nobody: the copy is not gone before it is gone.
                let failure = FleetError(error, "copy \(number)")
                log("\(failure)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
