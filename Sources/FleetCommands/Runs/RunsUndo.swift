import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore

/// `fleet runs undo`
struct RunsUndo: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Bring back what was before a restore, its last commit included.",
        discussion: """
            Shows what it will do and asks. Commits made since the restore are gone then; the plan counts them. For a \
            restore beside (--into) it removes the copy.
            """)

    @Argument(help: "The run.") var run: String
    @Flag(help: "Show the plan and do nothing.") var dryRun = false
    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        try await coordinator.markAbandoned()
        let record = try await coordinator.requireRun(run)
        if let carrier = try await coordinator.carrier(of: record) {
            throw FleetError(
                .conflict, "run \(record.id) is being carried out by \(carrier)",
                hint: "stop it and put everything back with: fleet runs abort \(record.id)", retriable: false)
        }
        let plan = try await coordinator.planUndo(of: record)
        if dryRun {
            try session.console.show(PlanView(plan))
            return .done
        }
        try await Confirmation(coordinator: coordinator, console: session.console, isGiven: yes).ask(plan)
        return try await RunFlow(session: session, coordinator: coordinator).carryOut(plan)
    }
}
