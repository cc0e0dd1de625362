import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore

/// `fleet runs resume`
struct RunsResume: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Go on with a run that stopped halfway.",
        discussion: """
            After a crash, a Ctrl-C or a mended fault. Steps that are done are not done again; work that went on without \
            fleet is found again.
            """)

    @Argument(help: "The run.") var run: String
    @Flag(help: "Wait for approvals of stages also where there is no terminal; otherwise exit with status 5 there.")
    var wait = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        try await coordinator.markAbandoned()
        let record = try await coordinator.requireRun(run)
        if let carrier = try await coordinator.carrier(of: record) {
            throw FleetError(
                .conflict, "run \(record.id) is being carried out by \(carrier)",
                hint: "follow it with: fleet runs watch \(record.id)", retriable: false)
        }
        return try await RunFlow(session: session, coordinator: coordinator, waits: wait).goOn(record.id)
    }
}
