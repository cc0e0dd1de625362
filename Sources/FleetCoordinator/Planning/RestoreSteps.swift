import FleetPluginAPI

/// The steps of each kind of plan, in order.
enum RestoreSteps {
    static func inPlace(
        _ members: [Plan.Member], _ applications: [Plan.ApplicationPlan], _ options: RestoreOptions,
        set: String? = nil
    ) -> [StepPlan] {
        let names = members.map(\.instance)
        var list = StepList()
        list.add(.announce, "tell people that it begins")
        list.add(.quiesce, applications.map(\.name)) { "take down \($0)" }
        list.add(.disconnect, names) { "see that nobody is connected to \($0)" }
        list.add(.secure, names) { "archive all that \($0) has written" }
        list.add(.stop, names) { "stop \($0)" }
        list.add(.setAside, members.filter { $0.wayBack == .setAside }.map(\.instance)) {
            "keep the data of \($0) beside"
        }
        addRecovery(&list, members, set: set)
        list.add(.settle, names) { "see that \($0) archives on its new timeline" }
        addReturn(&list, applications, options.stages)
        if options.backupAfterwards { list.add(.backup, names) { "back up \($0)" } }
        list.add(.conclude, "tell people that it is done")
        return list.steps
    }

    static func beside(_ members: [Plan.Member], set: String? = nil) -> [StepPlan] {
        let names = members.map(\.instance)
        var list = StepList()
        addCopies(&list, members)
        list.add(.agree, set.map { [$0] } ?? []) { "see that the copies of \($0) agree" }
        list.add(.promote, names) { "promote the copy of \($0)" }
        list.add(.reconcile, set.map { [$0] } ?? []) { "finish what was prepared on several copies of \($0)" }
        list.add(.settle, names) { "finish the copy of \($0)" }
        return list.steps
    }

    static func search(_ members: [Plan.Member], set: String) -> [StepPlan] {
        var list = StepList()
        addCopies(&list, members)
        list.add(.search, [set]) { "move the copies of \($0) to where they agree" }
        list.add(.removeScratch, members.map(\.instance)) { "remove the copy of \($0)" }
        return list.steps
    }

    /// Copies that stand paused at their targets.
    private static func addCopies(_ list: inout StepList, _ members: [Plan.Member]) {
        let waiting = members.filter { ($0.target?.pendingSegments ?? 0) > 0 || $0.target?.needsHeartbeat == true }
        list.add(.reach, waiting.map(\.instance)) { "archive the WAL of \($0) up to the target" }
        list.add(.makeScratch, members.map(\.instance)) { "make a place beside \($0)" }
        addReplay(&list, members.map(\.instance))
    }

    /// - Parameters:
    ///   - touched: members whose data must be brought back.
    ///   - stopped: members that only have to be started.
    static func undo(
        touched: [Plan.Member], stopped: [Plan.Member], _ applications: [Plan.ApplicationPlan],
        securing: Set<String>, _ options: RestoreOptions
    ) -> [StepPlan] {
        let names = touched.map(\.instance)
        let aside = touched.filter { $0.undo?.wayBack == .setAside }
        let restored = touched.filter { $0.undo?.wayBack == .archive }
        var list = StepList()
        list.add(.announce, "tell people that it begins")
        list.add(.quiesce, applications.map(\.name)) { "see that \($0) is down" }
        list.add(.disconnect, names) { "see that nobody is connected to \($0)" }
        list.add(.secure, names.filter(securing.contains)) { "archive all that \($0) has written" }
        list.add(.stop, names) { "stop \($0)" }
        list.add(.putBack, aside.map(\.instance)) { "put the old data of \($0) back" }
        list.add(.start, (aside + stopped).map(\.instance)) { "start \($0)" }
        addRecovery(&list, restored)
        list.add(.settle, restored.map(\.instance)) { "see that \($0) archives on its new timeline" }
        addReturn(&list, applications, options.stages)
        if options.backupAfterwards { list.add(.backup, restored.map(\.instance)) { "back up \($0)" } }
        list.add(.conclude, "tell people that it is done")
        return list.steps
    }

    static func removal(_ members: [Plan.Member]) -> [StepPlan] {
        var list = StepList()
        list.add(.removeScratch, members.map(\.instance)) { "remove the copy of \($0)" }
        return list.steps
    }

    static func backups(_ members: [Plan.Member]) -> [StepPlan] {
        var list = StepList()
        list.add(.backup, members.map(\.instance)) { "back up \($0)" }
        return list.steps
    }

    /// From an empty or old data directory to a promoted server; nobody is promoted before everybody has passed.
    private static func addRecovery(_ list: inout StepList, _ members: [Plan.Member], set: String? = nil) {
        let names = members.map(\.instance)
        addReplay(&list, names)
        list.add(.agree, set.map { [$0] } ?? []) { "see that the members of \($0) agree" }
        list.add(.promote, names) { "promote \($0)" }
        list.add(.reconcile, set.map { [$0] } ?? []) { "finish what was prepared on several members of \($0)" }
        list.add(.epoch, set.map { [$0] } ?? []) { "begin a new epoch of \($0)" }
    }

    /// From an empty or old data directory to a server that stands paused at its target and has passed its checks.
    private static func addReplay(_ list: inout StepList, _ names: [String]) {
        list.add(.restore, names) { "restore the data of \($0)" }
        list.add(.start, names) { "start \($0) in recovery" }
        list.add(.recover, names) { "replay WAL of \($0) to the target" }
        list.add(.verify, names) { "check \($0) while it is paused" }
    }

    /// Applications come back environment by environment: the stages asked for, then the others by name with
    /// production last.
    private static func addReturn(
        _ list: inout StepList, _ applications: [Plan.ApplicationPlan], _ stages: [String]
    ) {
        let environments = Set(applications.map(\.environment))
        let named = stages.filter(environments.contains)
        let others = environments.subtracting(named).sorted { ($0 == "prod" ? 1 : 0, $0) < ($1 == "prod" ? 1 : 0, $1) }
        for environment in named + others {
            let names = applications.filter { $0.environment == environment }.map(\.name)
            list.add(.resume, names) { "bring back \($0) (\(environment))" }
            list.add(.probe, names) { "see that \($0) is well" }
        }
    }
}
