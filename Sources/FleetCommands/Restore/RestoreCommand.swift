import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet restore`
struct RestoreCommand: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore instances to a point, with the applications that use them.",
        discussion: """
            The plan says which backup is used, that the WAL up to the target is there, what will be lost, how long it \
            takes and what is taken down. What cannot work is refused, with the nearest target that can, before \
            anything is stopped. Then it asks.

              fleet restore --cluster prod --target 2025-12-18T10:30:00Z
              fleet restore --instance orders --target -15m --dry-run
              fleet restore --instance orders --target latest --into orders-copy=/srv/copy
              fleet restore --application web --target name:before --plan-out p.json

            Targets: a time with its zone, -15m (so long ago), latest, lsn:0/3000000, xid:742, name:POINT (made with \
            pg_create_restore_point), immediate (the end of the backup).
            """)

    @OptionGroup(title: "What") var choice: RestoreChoice
    @OptionGroup(title: "How") var manner: RestoreManner
    @OptionGroup(title: "Whether") var consent: RestoreConsent
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !(choice.cluster.isEmpty && choice.instance.isEmpty && choice.application.isEmpty) else {
            throw ValidationError(
                "say what to restore: --cluster NAME, --instance NAME or --application NAME")
        }
        _ = try manner.into.map(RestoreManner.parse(into:))
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let input = try RestoreInput(
            instances: choice.names(in: coordinator.inventory),
            target: TargetRequest(
                target: RecoveryTarget(parsing: choice.target), timeline: choice.timeline, backup: choice.backup),
            into: manner.into.map { try RestoreManner.parse(into: $0) }, wayBack: manner.wayBack,
            options: manner.options(in: coordinator.inventory))
        if let into = input.into, input.instances.count > 1 {
            throw FleetError(
                .usage, "--into \(into.name) is one place, and \(input.instances.count) instances are chosen",
                hint: "choose one with --instance")
        }
        session.console.detail("planning: \(input.instances.joined(separator: ", "))")
        let plan = try await coordinator.planRestore(input)
        if let file = consent.planOut { return try await keep(plan, in: file, session.console) }
        if consent.dryRun {
            try session.console.show(PlanView(plan, asked: choice.target))
            return .done
        }
        try await Confirmation(coordinator: coordinator, console: session.console, isGiven: consent.yes)
            .ask(plan, asked: choice.target)
        return try await RunFlow(session: session, coordinator: coordinator).carryOut(plan)
    }

    private func keep(_ plan: Plan, in file: String, _ console: Console) async throws -> ExitStatus {
        try console.show(PlanView(plan, asked: choice.target))
        try await PlanFile.write(plan, to: file)
        console.say("")
        console.say(StyledText("kept in \(file); carry it out with: ") + StyledText("fleet apply \(file)", .strong))
        return .done
    }
}
