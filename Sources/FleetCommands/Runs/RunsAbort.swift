import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet runs abort`
struct RunsAbort: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "Stop a run that has not ended, and put everything back.",
        discussion: """
            A run that another process carries out is asked to stop after its present step and to put everything back; \
            this command follows it. One that nobody carries out is put back by this command. Of a rollout, stages \
            that are finished stay as they are, and fleet runs undo takes them back; an instance that applications of a \
            later stage still wait for is put back.
            """)

    @Argument(help: "The run.") var run: String
    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        try await coordinator.markAbandoned()
        let record = try await coordinator.requireRun(run)
        guard !record.state.isEnded else {
            throw FleetError(
                .refused, "run \(record.id) has ended: \(record.state.rawValue)",
                hint: record.state == .succeeded ? "take it back with: fleet runs undo \(record.id)" : nil)
        }
        guard let carrier = try await coordinator.carrier(of: record) else {
            if record.state != .aborting {
                try await Confirmation(coordinator: coordinator, console: session.console, isGiven: yes)
                    .ask(try await coordinator.planUndo(of: record, keepsStages: true))
            }
            return try await RunFlow(session: session, coordinator: coordinator).abort(record.id)
        }
        try await coordinator.request(.abort, of: record)
        session.console.say(StyledText("asked \(carrier) to put everything back after the present step"))
        _ = try await RunWatcher(session: session, coordinator: coordinator).watch(record.id)
        return try await coordinator.requireRun(record.id).state == .aborted ? .done : .failed
    }
}
