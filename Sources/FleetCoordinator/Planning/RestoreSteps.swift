import FleetPluginAPI

/// The steps of each kind of plan, in order.
enum RestoreSteps {
    static func inPlace(
        _ members: [Plan.Member], _ applications: [Plan.ApplicationPlan], _ options: RestoreOptions,
        stages: [Plan.Stage] = [], set: String? = nil
    ) -> [StepPlan] {
        var list = StepList()
        list.add(.announce, "tell people that it begins")
        if stages.isEmpty {
            addDown(&list, members, applications)
            addRestored(&list, members, set: set)
            addReturn(&list, applications, options.stages)
            addBackups(&list, members, options)
        }
        var isDown: Set<String> = []
        for stage in stages {
            list.stage = stage.name
            if stage.approval != nil { list.add(.approve, [stage.name]) { "wait until somebody approves \($0)" } }
            let restored = members.filter { stage.instances.contains($0.instance) }
            let users = applications.filter { application in
                !isDown.contains(application.name) && !Set(application.uses).isDisjoint(with: stage.instances)
            }
            isDown.formUnion(users.map(\.name))
            addDown(&list, restored, users)
            addRestored(&list, restored, set: restored.isEmpty ? nil : set)
            addReturn(&list, applications.filter { stage.applications.contains($0.name) }, [stage.name])
            addBackups(&list, restored, options)
            if let soak = stage.soak {
                let time = soak.duration > .zero ? " for \(DurationText.text(soak.duration))" : ""
                list.add(.soak, [stage.name]) { "see that \($0) stays well\(time)" }
            }
            list.stage = nil
        }
        list.add(.conclude, "tell people that it is done")
        return list.steps
    }

    /// Applications down, each before those that it waits for when they come back; then the servers stopped.
    private static func addDown(
        _ list: inout StepList, _ members: [Plan.Member], _ applications: [Plan.ApplicationPlan]
    ) {
        let names = members.map(\.instance)
        for group in applications.groups.reversed() { list.add(.quiesce, group) { "take down \($0)" } }
        list.add(.disconnect, names) { "see that nobody is connected to \($0)" }
        list.add(.secure, names) { "archive all that \($0) has written" }
        list.add(.stop, names) { "stop \($0)" }
        list.add(.setAside, members.filter { $0.wayBack == .setAside }.map(\.instance)) {
            "keep the data of \($0) beside"
        }
    }

    private static func addRestored(_ list: inout StepList, _ members: [Plan.Member], set: String?) {
        addRecovery(&list, members, set: set)
        list.add(.settle, members.map(\.instance)) { "see that \($0) archives on its new timeline" }
    }

    private static func addBackups(_ list: inout StepList, _ members: [Plan.Member], _ options: RestoreOptions) {
        if options.backupAfterwards { list.add(.backup, members.map(\.instance)) { "back up \($0)" } }
    }

    static func beside(_ members: [Plan.Member], set: String? = nil) -> [StepPlan] {
        let names = members.map(\.instance)
        var list = StepList()
        addCopies(&list, members)
        list.add(.agree, set.map { [$0] } ?? []) { "see that the copies of \($0) agree" }
        list.add(.promote, names) { "promote the copy of \($0)" }
        list.add(.reconcile, set.map { [$0] } ?? []) { "finish what was prepared on several copies of \($0)" }
        list.add(.mask, members.filter { !$0.masking.isEmpty }.map(\.instance)) { "mask the copy of \($0)" }
        list.add(.settle, names) { "finish the copy of \($0)" }
        return list.steps
    }

    /// - Parameter inspects: whether the copies are looked through for damage.
    static func rehearsal(_ members: [Plan.Member], set: String?, inspects: Bool = false) -> [StepPlan] {
        let names = members.map(\.instance)
        var list = StepList()
        addCopies(&list, members)
        list.add(.agree, set.map { [$0] } ?? []) { "see that the copies of \($0) agree" }
        list.add(.promote, names) { "promote the copy of \($0)" }
        if inspects { list.add(.inspect, names) { "look for damage in the copy of \($0)" } }
        list.add(.removeScratch, names) { "remove the copy of \($0)" }
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
        for group in applications.groups.reversed() { list.add(.quiesce, group) { "see that \($0) is down" } }
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
        for environment in StagePlanner.ordered(Set(applications.map(\.environment)), named: stages) {
            for group in applications.filter({ $0.environment == environment }).groups {
                list.add(.resume, group) { "bring back \($0) (\(environment))" }
                list.add(.probe, group) { "see that \($0) is well" }
            }
        }
    }
}

extension [Plan.ApplicationPlan] {
    /// Their names, in groups that come back together, one after the other.
    fileprivate var groups: [[String]] {
        ApplicationOrder.groups(
            map(\.name), after: Dictionary(uniqueKeysWithValues: map { ($0.name, $0.after) }))
    }
}
