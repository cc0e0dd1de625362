import FleetPluginAPI
import FleetStore

/// Plans to bring back what was before a run, finished or half done, from what its journal says.
struct UndoPlanner: Sendable {
    let inventory: Inventory
    let servers: any DatabaseServers
    let store: any StateStore
    let now: Timestamp

    /// - Parameter keepsStages: whether what belongs to finished stages alone stays as it is.
    func plan(undoing run: RunRecord, keepsStages: Bool = false) async throws -> Plan {
        let done = try run.decodedPlan()
        let journal = Journal(steps: try await store.steps(of: run.id))
        switch done.kind {
        case .restoreInto, .search, .rehearsal, .drill: return removal(run, done)
        case .backup:
            throw FleetError(
                .refused, "run \(run.id) made a backup; there is nothing to undo", hint: "see: fleet backups expire")
        case .restore, .undo: break
        }
        if run.attributes[Coordinator.discarded] != nil {
            throw FleetError(.refused, "the data that run \(run.id) kept beside was discarded")
        }
        if let other = run.undoneBy {
            throw FleetError(.refused, "run \(run.id) was undone already, by run \(other)")
        }
        var touched: [Plan.Member] = []
        var stopped: [Plan.Member] = []
        var securing: Set<String> = []
        let gone = try await membersPutBack(run)
        let keeps = keepsStages ? FinishedStages(plan: done, journal: journal).members : []
        for member in done.members where !keeps.contains(member.instance) && !gone.contains(member.instance) {
            if journal.dataTouched(member.instance) {
                let back = try await bringBack(member, journal, run)
                touched.append(back)
                if back.wayBack == .archive { securing.insert(member.instance) }
            } else if journal.begun(.stop, member.instance) {
                stopped.append(member)
            }
        }
        let records = try journal.records(done.applications)
        let applications = try await ApplicationPlanner(inventory: inventory)
            .plans(using: done.members.map(\.instance).filter { !gone.contains($0) }, records: records)
            .filter { application in
                !Set(application.uses).isDisjoint(with: touched.map(\.instance)) || application.record != nil
            }
        var options = done.options
        options.backupAfterwards = options.backupAfterwards && !touched.isEmpty
        return Plan(
            kind: .undo, title: "undo \(run.id): \(done.title)", createdAt: now,
            configuration: inventory.configurationDigest, undoes: run.id, keeps: keeps, members: touched + stopped,
            applications: applications, options: options,
            steps: RestoreSteps.undo(
                touched: touched, stopped: stopped, applications, securing: securing, options),
            warnings: touched.compactMap { member in
                guard let lost = member.target?.lost, lost.count > 0, securing.contains(member.instance) else {
                    return nil
                }
                return "\(member.instance): \(lost.count) commits made since the restore will be gone"
            })
    }

    /// Members that a run has put back already, which kept the others.
    private func membersPutBack(_ run: RunRecord) async throws -> Set<String> {
        let undos = try await store.runs(states: [.succeeded], limit: 1000).filter { $0.undoes == run.id }
        return try undos.reduce(into: []) { $0.formUnion(try $1.decodedPlan().members.map(\.instance)) }
    }

    private func removal(_ run: RunRecord, _ done: Plan) -> Plan {
        Plan(
            kind: .undo, title: "undo \(run.id): \(done.title)", createdAt: now,
            configuration: inventory.configurationDigest, undoes: run.id, members: done.members, applications: [],
            options: done.options, steps: RestoreSteps.removal(done.members), warnings: [])
    }

    private func bringBack(_ member: Plan.Member, _ journal: Journal, _ run: RunRecord) async throws -> Plan.Member {
        guard var point = try journal.undoPoint(member.instance), point.wayBack != .none else {
            throw FleetError(
                .refused, "run \(run.id) left no way back for \(member.instance)",
                hint: "restore it to a time of your choice with: fleet restore --instance \(member.instance)")
        }
        point.dataTouched = true
        var back = member
        back.undo = point
        back.checks = []
        // Those of the plan that is undone have ended since.
        back.sessions = []
        let instance = try inventory.instance(member.instance)
        let process = try await inventory.platform(of: instance).observe(instance)
        // An undo can be undone as well where the server it leaves runs and archives.
        back.wayBack = journal.isDone(.settle, member.instance) && process.state == .running ? .archive : .none
        back.state = process.state
        guard point.wayBack == .archive else {
            // The old data comes back as it is; what is there now has the timeline that the restore made.
            back.timeline = try await presentTimeline(of: instance, process, isAsked: back.wayBack == .archive)
            return back
        }
        let planner = RestorePlanner(inventory: inventory, servers: servers, store: store, now: now)
        var world = try await WorldGatherer(inventory: inventory, servers: servers).gather(instance, broken: true)
        world.assumedIdentifier = member.systemIdentifier
        let resolver = try planner.resolver(world)
        var target = try await resolver.resolve(TargetRequest(target: .latest, timeline: point.timeline))
        if let end = target.stopLSN, end < point.lsn {
            throw FleetError(
                .refused, "the archive of \(member.instance) ends at \(end) on timeline \(point.timeline)",
                cause: "the state before run \(run.id) reaches to \(point.lsn)")
        }
        target.remarks = []
        if journal.isDone(.settle, member.instance) {
            if let endpoint = world.endpoint, world.server != nil {
                back.sessions = try await servers.sessions(endpoint, deadline: .seconds(10)).filter(\.isClient)
            }
        } else {
            // Nobody could commit anything to a half restored server.
            target.lost = LostCommits()
        }
        back.target = target
        back.timeline = world.timeline
        back.state = world.process.state
        back.mode = world.process.state == .absent ? .empty : .delta
        back.estimate = try await Estimator(store: store).estimate(member.instance, target)
        return back
    }
}

extension UndoPlanner {
    private func presentTimeline(
        of instance: Instance, _ process: ProcessObservation, isAsked: Bool
    ) async throws -> TimelineID? {
        guard isAsked else { return process.control?.timeline }
        let endpoint = try await inventory.platform(of: instance).endpoint(of: instance)
        return try await servers.observe(endpoint, deadline: .seconds(20)).timeline
    }
}

/// The members of a run that belong to finished stages alone.
private struct FinishedStages {
    let plan: Plan
    let journal: Journal

    /// Restored in a stage whose work was done, gate or not, and whose applications have all come back; as many may be
    /// unwell as the stage allows.
    var members: [String] {
        let finished = plan.stages.filter { stage in
            let open = plan.steps.filter { step in
                step.stage == stage.name && step.kind != .soak && step.kind != .approve
                    && !journal.isDone(step.kind, step.subject)
            }
            return open.allSatisfy { $0.kind == .probe } && open.count <= stage.maxFailures
        }
        return finished.flatMap(\.instances).filter { instance in
            plan.applications.filter { $0.uses.contains(instance) }.allSatisfy { journal.isDone(.resume, $0.name) }
        }
    }
}

/// What the steps of a run say of each member and application.
private struct Journal {
    private let steps: [String: StepRecord]

    init(steps: [StepRecord]) {
        self.steps = Dictionary(uniqueKeysWithValues: steps.map { ($0.id, $0) })
    }

    func begun(_ kind: StepKind, _ subject: String) -> Bool {
        steps[StepPlan.id(kind, subject)].map { $0.state != .pending && $0.state != .skipped } ?? false
    }

    func isDone(_ kind: StepKind, _ subject: String) -> Bool {
        steps[StepPlan.id(kind, subject)]?.state == .done
    }

    func dataTouched(_ subject: String) -> Bool {
        StepKind.allCases.contains { $0.touchesData && begun($0, subject) }
    }

    func undoPoint(_ subject: String) throws -> UndoPoint? {
        guard let step = steps[StepPlan.id(.secure, subject)], let output = step.output else { return nil }
        return try CanonicalJSON.decode(UndoPoint.self, from: output)
    }

    /// What each application was before, for those that were taken down and may still be. A crash between taking
    /// down and journaling leaves only the scaler's own record, which has the run's name.
    func records(_ applications: [Plan.ApplicationPlan]) throws -> [String: QuiesceRecord] {
        var records: [String: QuiesceRecord] = [:]
        for application in applications
        where begun(.quiesce, application.name) && !isDone(.resume, application.name) {
            let step = steps[StepPlan.id(.quiesce, application.name)]
            if let output = step?.output {
                records[application.name] = try CanonicalJSON.decode(QuiesceRecord.self, from: output)
            } else if let run = step?.run {
                records[application.name] = QuiesceRecord(run: run, original: application.scale.desired)
            }
        }
        return records
    }
}
