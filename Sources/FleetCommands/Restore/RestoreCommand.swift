import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
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
              fleet restore --set shop --target -15m
              fleet restore --set shop --target -15m --search
              fleet restore --cluster prod --target -15m --rehearse

            Targets: a time with its zone, -15m (so long ago), latest, lsn:0/3000000, xid:742, name:POINT (made with \
            pg_create_restore_point), immediate (the end of the backup). Of a set: mark:NAME, or a time or latest for the \
            newest mark at or before it.
            """)

    @OptionGroup(title: "What") var choice: RestoreChoice
    @OptionGroup(title: "How") var manner: RestoreManner
    @OptionGroup(title: "Whether") var consent: RestoreConsent
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard choice.isGiven || choice.set != nil else {
            throw ValidationError(
                "say what to restore: --cluster, --environment, --label, --instance, --application or --set")
        }
        guard choice.set != nil || !(choice.approximate || choice.search) else {
            throw ValidationError(
                "--\(choice.search ? "search" : "approximate") is for the members of a set: --set NAME")
        }
        guard !(choice.approximate && choice.search) else {
            throw ValidationError("--approximate and --search are two ways to do without a mark: choose one")
        }
        if let set = choice.set {
            guard !choice.isGiven, choice.timeline == nil, choice.backup == nil else {
                throw ValidationError(
                    "--set \(set) restores all of its members, each from the backup that fits: leave out "
                        + "--cluster, --environment, --label, --instance, --application, --timeline and --backup")
            }
        }
        guard !(manner.rehearse && manner.into != nil) else {
            throw ValidationError("--into makes copies already: leave out --rehearse")
        }
        guard !manner.unmasked || manner.into != nil else {
            throw ValidationError("--unmasked is for copies: --into NAME")
        }
        _ = try manner.into.map { try RestoreManner.parse(into: $0) }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let plan = try await plan(session, coordinator)
        if let file = consent.planOut { return try await keep(plan, in: file, session.console) }
        if consent.dryRun {
            try session.console.show(PlanView(plan, asked: choice.target))
            return .done
        }
        try await Confirmation(coordinator: coordinator, console: session.console, isGiven: consent.yes)
            .ask(plan, asked: choice.target)
        return try await RunFlow(session: session, coordinator: coordinator, waits: consent.wait).carryOut(plan)
    }

    private func plan(_ session: Session, _ coordinator: Coordinator) async throws -> Plan {
        let input = RestoreTerms(
            into: try manner.into.map { try RestoreManner.parse(into: $0, isMasked: !manner.unmasked) },
            wayBack: manner.wayBack,
            options: try manner.options(in: coordinator.inventory))
        let searched = choice.search ? try await search(session, coordinator) : nil
        guard manner.rehearse else { return try await plan(input, searched, session, coordinator) }
        var copies = input
        copies.into = Coordinator.rehearsalPlace
        let rehearsal = coordinator.rehearsal(of: try await plan(copies, searched, session, coordinator))
        let run = try await inCopies(rehearsal, "rehearse in them", "nothing was rehearsed", session, coordinator)
        return try coordinator.bind(try await plan(input, searched, session, coordinator), rehearsedBy: run)
    }

    private func plan(
        _ input: RestoreTerms, _ searched: RunRecord?, _ session: Session, _ coordinator: Coordinator
    ) async throws -> Plan {
        if let searched { return try await coordinator.planRestore(toFoundBy: searched, input) }
        let target = try RecoveryTarget(parsing: choice.target)
        if let set = choice.set {
            session.console.detail("planning: the restore set \(set)")
            return choice.approximate
                ? try await coordinator.planApproximateRestore(set, target: target, input)
                : try await coordinator.planSetRestore(set, target: target, input)
        }
        let instances = try choice.names(in: coordinator.inventory)
        session.console.detail("planning: \(instances.joined(separator: ", "))")
        return try await coordinator.planRestore(
            RestoreInput(
                instances: instances,
                target: TargetRequest(target: target, timeline: choice.timeline, backup: choice.backup),
                into: input.into, wayBack: input.wayBack, options: input.options))
    }

    private func search(_ session: Session, _ coordinator: Coordinator) async throws -> RunRecord {
        let plan = try await coordinator.planSetSearch(
            choice.set ?? "", target: RecoveryTarget(parsing: choice.target))
        return try await inCopies(plan, "search in them", "nothing was searched", session, coordinator)
    }

    /// Carries out a plan that works in copies alone; asked for where the plan behind it will be, too.
    private func inCopies(
        _ plan: Plan, _ purpose: String, _ refusal: String, _ session: Session, _ coordinator: Coordinator
    ) async throws -> RunRecord {
        if !consent.yes, !consent.dryRun, consent.planOut == nil {
            session.console.present(try PlanView(plan, asked: choice.target))
            let size = plan.members.compactMap { $0.target?.backup.size }.reduce(0, +)
            try await Agreement.ask(
                "Type yes to make copies (\(ByteSize.text(size))) and \(purpose): ", refusal: refusal, session.console)
        }
        return try await RunFlow(session: session, coordinator: coordinator).succeed(plan)
    }

    private func keep(_ plan: Plan, in file: String, _ console: Console) async throws -> ExitStatus {
        try console.show(PlanView(plan, asked: choice.target))
        try await PlanFile.write(plan, to: file)
        console.say("")
        console.say(StyledText("kept in \(file); carry it out with: ") + StyledText("fleet apply \(file)", .strong))
        return .done
    }
}
