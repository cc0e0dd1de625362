import ArgumentParser
import FleetCoordinator
import FleetPluginAPI

/// `fleet apply`
struct ApplyCommand: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Carry out a plan that was kept with --plan-out.",
        discussion: """
            Refused when the world is not what it was when the plan was made: another fleet.yaml, another timeline, a \
            backup that is gone, an application scaled otherwise.

              fleet restore --cluster prod --target 2025-12-18T10:30:00Z --plan-out plan.json
              fleet apply plan.json
            """)

    @Argument(help: "The plan.", completion: .file(extensions: ["json"])) var file: String
    @Flag(help: "Show the plan and whether it still holds, and do nothing.") var dryRun = false
    @Flag(help: "Wait for approvals of stages also where there is no terminal; otherwise exit with status 5 there.")
    var wait = false
    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let plan = try await PlanFile.read(file)
        let coordinator = try await session.coordinator()
        try await coordinator.checkDrift(plan)
        if dryRun {
            try session.console.show(PlanView(plan))
            return .done
        }
        try await Confirmation(coordinator: coordinator, console: session.console, isGiven: yes).ask(plan)
        return try await RunFlow(session: session, coordinator: coordinator, waits: wait).carryOut(plan)
    }
}
