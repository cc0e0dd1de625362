import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet runs watch`
struct RunsWatch: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow a run that another process carries out.",
        discussion: "Ends when the run ends or stops. Ctrl-C ends the watching, not the run.")

    @Argument(help: "The run.") var run: String
    @Flag(help: "Write each event of its journal as one line of JSON on standard output, and nothing at the end.")
    var events = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        if events { return try await EventStream(session: session, coordinator: coordinator).write(run) }
        return try await RunWatcher(session: session, coordinator: coordinator).watch(run)
    }
}

/// Follows a run by its journal.
struct RunWatcher: Sendable {
    let session: Session
    let coordinator: Coordinator

    /// Returns the exit status that the run's end stands for.
    func watch(_ id: String) async throws -> ExitStatus {
        let record = try await coordinator.requireRun(id)
        session.console.say(StyledText("run \(record.id)  ", .faint) + StyledText(record.title))
        let printer = RunPrinter(session.console, try coordinator.plan(of: record))
        let outcome: RunOutcome
        do {
            outcome = try await follow(record.id, printer)
        } catch {
            await printer.end()
            throw error
        }
        await printer.end()
        let steps = try await coordinator.store.steps(of: record.id)
        let report = RunReport(outcome, plan: try coordinator.plan(of: outcome.run), steps: steps)
        if let error = outcome.run.error, outcome.run.state != .succeeded { _ = session.console.report(error) }
        try session.console.show(report)
        return report.status
    }

    private func follow(_ id: String, _ printer: RunPrinter) async throws -> RunOutcome {
        var journals: [String: Journal] = [id: Journal(id)]
        while true {
            try await coordinator.markAbandoned()
            // Read before the journal: what was written last is told before its end is.
            let run = try await coordinator.requireRun(id)
            let back = try await coordinator.putBackRun(of: run)
            for name in [id] + (back.map { [$0] } ?? []) {
                var journal = journals[name] ?? Journal(name)
                try await journal.tell(coordinator.store, printer)
                if name == id { await journal.tellProgress(run, printer) }
                journals[name] = journal
            }
            if try await coordinator.hasComeToRest(run) {
                let putBack = if let back { try await coordinator.requireRun(back) } else { RunRecord?.none }
                return RunOutcome(run: run, putBack: putBack, error: run.error)
            }
            try await Task.sleep(for: .milliseconds(400))
        }
    }

    /// How much of a run's journal was told.
    private struct Journal {
        let run: String
        var sequence: Int64 = 0
        var states: [String: StepState] = [:]

        init(_ run: String) {
            self.run = run
        }

        /// How far running steps are, as whoever carries them out writes down now and then.
        func tellProgress(_ run: RunRecord, _ printer: RunPrinter) async {
            for (step, state) in states where state == .running {
                guard let progress = run.progress(of: step) else { continue }
                await printer.progressed(step: step, progress)
            }
        }

        mutating func tell(_ store: any StateStore, _ printer: RunPrinter) async throws {
            let events = try await store.events(of: run, after: sequence, limit: 1000)
            for event in events where event.kind == "note" {
                await printer.noted(step: event.step, event.message)
            }
            sequence = events.last?.sequence ?? sequence
            for step in try await store.steps(of: run) where step.state != states[step.id] {
                // What was over before anybody watched is not told as news.
                if states[step.id] != nil || step.state != .pending { await printer.stepChanged(step) }
                states[step.id] = step.state
            }
        }
    }
}

/// A run's journal as lines of JSON, for programs.
struct EventStream: Sendable {
    let session: Session
    let coordinator: Coordinator

    func write(_ id: String) async throws -> ExitStatus {
        let record = try await coordinator.requireRun(id)
        var sequence: Int64 = 0
        while true {
            try await coordinator.markAbandoned()
            // Read before the journal: what was written last is told before its end is.
            let run = try await coordinator.requireRun(record.id)
            let events = try await coordinator.store.events(of: run.id, after: sequence, limit: 1000)
            for event in events { session.console.output.write(try TextEncoding.jsonLine(RunEventView(event))) }
            sequence = events.last?.sequence ?? sequence
            if events.isEmpty, try await coordinator.hasComeToRest(run) {
                return RunReport(RunOutcome(run: run), plan: try coordinator.plan(of: run), steps: []).status
            }
            if events.isEmpty { try await Task.sleep(for: .milliseconds(300)) }
        }
    }
}
