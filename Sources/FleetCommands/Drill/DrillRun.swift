import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet drill run`
struct DrillRun: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Restore into a copy, check it, look through it, time it and remove it.",
        discussion: """
            The newest backup and all WAL after it, or another target. The copy is started and replayed to the target, \
            checked as a restore is, promoted, and every table and index of it is looked through for damage (amcheck). \
            Sources and applications stay as they are. A drill that is slower than the policy's rto: ends with exit code 4.

              fleet drill run orders
              fleet drill run orders --target random        any moment that it can be restored to
              fleet drill run --set shop                    all members, to the newest mark
            """)

    @Argument(help: "The instances.") var instances: [String] = []
    @Option(help: ArgumentHelp("All members of this restore set, to one mark.", valueName: "name")) var set: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What to restore to: a target as fleet restore takes it, or random.", valueName: "target"))
    var target = "latest"
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard instances.isEmpty != (set == nil) else {
            throw ValidationError("say what to restore: instances, or --set NAME")
        }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let chosen: DrillTarget = target == "random" ? .random : .at(try RecoveryTarget(parsing: target))
        let plan =
            if let set {
                try await coordinator.planDrill(ofSet: set, target: chosen)
            } else {
                try await coordinator.planDrill(
                    InstanceChoice.names(instances, in: coordinator.inventory), target: chosen)
            }
        let run = try await RunFlow(session: session, coordinator: coordinator).succeed(plan)
        let view = DrillView(try await coordinator.drillResult(of: run))
        try session.console.show(view)
        return view.verdict == DrillResult.Verdict.passed.rawValue ? .done : .alerting
    }
}
