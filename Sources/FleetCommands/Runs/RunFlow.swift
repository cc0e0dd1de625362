import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// Carries runs out before the eyes of whoever gave the command.
struct RunFlow: Sendable {
    let session: Session
    let coordinator: Coordinator
    /// `--wait`: approvals are waited for also where nobody sits before a terminal.
    var waits = false

    /// Begins a run of a confirmed plan and carries it out.
    func carryOut(_ plan: Plan) async throws -> ExitStatus {
        let run = try await coordinator.begin(plan, confirmed: try plan.hash())
        return try await goOn(run.id)
    }

    /// Carries a run out from where it stands.
    func goOn(_ id: String) async throws -> ExitStatus {
        let waitsForPeople = waits || session.console.error.isTerminal
        return try await follow(id) {
            try await coordinator.carryOut(id, observer: $0, waitsForPeople: waitsForPeople)
        }
    }

    /// Puts everything back.
    func abort(_ id: String) async throws -> ExitStatus {
        let status = try await follow(id) { try await coordinator.abort(id, observer: $0) }
        // Being aborted is what was asked for.
        return try await coordinator.requireRun(id).state == .aborted ? .done : status
    }

    /// Carries out a run whose outcome something else goes on from.
    ///
    /// - Throws: what made it fail, after what it had begun was put back.
    func succeed(_ plan: Plan) async throws -> RunRecord {
        let run = try await coordinator.begin(plan, confirmed: try plan.hash())
        let outcome = try await observed(run.id) { try await coordinator.carryOut(run.id, observer: $0) }
        guard outcome.run.state == .succeeded else {
            throw outcome.error ?? FleetError(.failed, "run \(run.id) is \(outcome.run.state.rawValue)")
        }
        return outcome.run
    }

    private func follow(
        _ id: String, _ body: @escaping @Sendable (RunPrinter) async throws -> RunOutcome
    ) async throws -> ExitStatus {
        try await report(try await observed(id, body))
    }

    private func observed(
        _ id: String, _ body: @escaping @Sendable (RunPrinter) async throws -> RunOutcome
    ) async throws -> RunOutcome {
        let console = session.console
        console.say(StyledText("run \(id)", .faint))
        let printer = RunPrinter(console, try coordinator.plan(of: try await coordinator.requireRun(id)))
        let outcome: RunOutcome
        do {
            outcome = try await Signals.stoppable {
                await printer.add(
                    StyledText("stopping at the next safe point", .caution)
                        + StyledText("; once more ends at once, and the run can be resumed"))
            } _: {
                try await body(printer)
            }
        } catch {
            await printer.end()
            throw error
        }
        await printer.end()
        return outcome
    }

    private func report(_ outcome: RunOutcome) async throws -> ExitStatus {
        let steps = try await coordinator.store.steps(of: outcome.run.id)
        let report = RunReport(outcome, plan: try coordinator.plan(of: outcome.run), steps: steps)
        // A run that was put back because somebody asked for it is no error.
        if let error = outcome.error, !(outcome.run.state == .aborted && error.code == .cancelled) {
            session.console.say("")
            _ = session.console.report(Self.withoutHint(error, report))
        }
        try session.console.show(report)
        return report.status
    }

    /// What comes next is said by the report.
    private static func withoutHint(_ error: FleetError, _ report: RunReport) -> FleetError {
        var error = error
        if error.code == .cancelled, !report.next.isEmpty { error.hint = nil }
        return error
    }
}
