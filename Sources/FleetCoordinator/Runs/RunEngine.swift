import FleetConfig
import FleetPluginAPI
import FleetStore

/// Carries plans out, journaled: killing it at any instant and carrying the run out again ends in the same state.
struct RunEngine: Sendable {
    let store: any StateStore
    let inventory: Inventory
    let servers: any DatabaseServers
    let person: Operator
    let clock: @Sendable () -> Timestamp
    /// Whether decisions of people are waited for, or the run ends as waiting until it is resumed.
    var waitsForPeople = true

    /// Long enough to outlive a slow disk, short enough that another machine need not wait long.
    static let leaseDuration: Duration = .seconds(60)

    /// How carrying out a run stopped.
    enum Ending: Sendable {
        case succeeded
        /// Someone asked for it, or this process is being ended; it can be resumed.
        case interrupted(FleetError)
        /// For people: it is gone on with once they have decided.
        case waiting(StepPlan)
        case failed(step: StepPlan, error: FleetError)
        /// Someone asked for everything to be put back.
        case abortRequested(by: String)
    }

    /// An ending, and the lease under which whoever carried the run out goes on with putting it back. In force unless
    /// the run has ended.
    struct Stopped: Sendable {
        var ending: Ending
        var lease: Lease
    }

    /// Writes a run down; nothing is done yet.
    func begin(_ plan: Plan) async throws -> RunRecord {
        let now = clock()
        let run = RunRecord(
            id: RunID.make(now: now), kind: plan.kind.rawValue, title: plan.title, state: .running,
            plan: String(decoding: try plan.encoded(), as: UTF8.self), planHash: try plan.hash(),
            startedBy: person.name, createdAt: now, updatedAt: now, undoes: plan.undoes)
        let steps = plan.steps.enumerated().map { index, step in
            StepRecord(
                run: run.id, index: index, id: step.id, kind: step.kind.rawValue, title: step.title, state: .pending,
                attempts: 0)
        }
        try await store.createRun(run, steps: steps)
        try await store.audit(
            actor: person.name, action: "run.begin", subject: run.id,
            details: ["title": .string(run.title), "plan": .string(run.planHash)])
        return run
    }

    /// Ends a run that could not even begin, as others hold its instances. One that puts a failed run back stays.
    private func withdraw(_ run: RunRecord, _ plan: Plan, _ error: FleetError) async throws {
        if plan.kind == .undo, let undone = plan.undoes, try await store.run(undone)?.state != .succeeded { return }
        guard try await store.lease(of: run.id) == nil,
            try await store.steps(of: run.id).allSatisfy({ $0.state == .pending })
        else { return }
        try await store.updateRun(run.id, state: .failed, error: error, endedAt: clock(), lease: nil)
    }

    /// Carries a run out from where its journal stands, and writes down how that ended.
    ///
    /// - Throws: `conflict` when another process carries it out, or another run holds one of its instances; whatever
    ///   the state store throws.
    func carryOut(_ run: RunRecord, observer: any RunObserver) async throws -> Stopped {
        let plan = try run.decodedPlan()
        let lease: Lease
        do {
            lease = try await store.acquire(
                run: run.id, resources: Self.resources(of: plan), owner: person.owner, duration: Self.leaseDuration,
                now: clock(), isOwnerDead: person.isDead)
        } catch let error as FleetError where error.code == .conflict {
            try await withdraw(run, plan, error)
            throw error
        }
        try await store.updateRun(run.id, state: .running, error: nil, endedAt: nil, lease: lease)
        let journal = RunJournal(
            run: run.id, steps: try await store.steps(of: run.id), lease: lease, store: store, observer: observer,
            clock: clock)
        let ending = try await underLease(journal) { try await phases(plan, journal) }
        switch ending {
        case .succeeded: try await journal.end(.succeeded, error: nil)
        // A backup that failed left nothing half done: it holds nothing and is made anew.
        case .failed(_, let error) where plan.kind == .backup: try await journal.end(.failed, error: error)
        case .interrupted(let error), .failed(_, let error): try await journal.end(.interrupted, error: error)
        case .abortRequested: try await journal.end(.aborting, error: nil)
        case .waiting:
            try await journal.end(.waiting, error: nil)
            // Whoever goes on with it need not wait for this process to be taken for dead.
            try await journal.renew(for: .zero)
        }
        return Stopped(ending: ending, lease: await journal.lease)
    }

    /// What a run of this plan holds alone.
    static func resources(of plan: Plan) -> [String] {
        plan.members.flatMap { member in
            switch plan.kind {
            case .backup: ["backup/\(member.instance)"]
            case .restoreInto, .search, .rehearsal, .drill: ["scratch/\(member.scratch?.name ?? member.instance)"]
            case .undo where member.scratch != nil: ["scratch/\(member.scratch?.name ?? member.instance)"]
            // A backup must not run while its server is stopped under it.
            case .restore, .undo: ["instance/\(member.instance)", "backup/\(member.instance)"]
            }
        } + plan.applications.map { "application/\($0.name)" }
    }

    /// Keeps the lease alive while the body runs; losing it ends the body.
    private func underLease(
        _ journal: RunJournal, _ body: @escaping @Sendable () async throws -> Ending
    ) async throws -> Ending {
        try await withThrowingTaskGroup(of: Ending?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    do { try await Task.sleep(for: Self.leaseDuration / 4) } catch { return nil }
                    try await journal.renew(for: Self.leaseDuration)
                }
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let ending = result { return ending }
            }
            return .interrupted(interruption(journal.run, "stopped"))
        }
    }

    private func phases(_ plan: Plan, _ journal: RunJournal) async throws -> Ending {
        let phases = Dictionary(grouping: plan.steps, by: \.phase).sorted { $0.key < $1.key }
        for (_, steps) in phases {
            if let ending = try await controlled(journal) { return ending }
            if let ending = try await carryOut(steps, plan, journal) { return ending }
        }
        return .succeeded
    }

    /// What others, or this process's owner, have asked for meanwhile.
    private func controlled(_ journal: RunJournal) async throws -> Ending? {
        if Task.isCancelled { return .interrupted(interruption(journal.run, "stopped between two steps")) }
        guard let control = try await journal.pendingControl() else { return nil }
        try await journal.clear(control.request)
        switch control.request {
        case .abort: return .abortRequested(by: control.by)
        case .pause: return .interrupted(interruption(journal.run, "paused by \(control.by)"))
        }
    }

    private func interruption(_ run: String, _ why: String) -> FleetError {
        FleetError(
            .cancelled, "run \(run) was \(why)",
            hint: "go on with: fleet runs resume \(run); put everything back with: fleet runs abort \(run)")
    }

    /// Carries out the steps of one phase together. All are let finish before a failure is reported.
    private func carryOut(
        _ steps: [StepPlan], _ plan: Plan, _ journal: RunJournal
    ) async throws -> Ending? {
        var queue: [(step: StepPlan, cluster: String)] = []
        for step in steps where await journal.state(of: step.id) != .done { queue.append((step, cluster(of: step))) }
        let limits = plan.options
        let results = try await withThrowingTaskGroup(of: Failure.self) { group in
            var running: [String: Int] = [:]
            var results: [Failure] = []
            var isStopped = false
            while true {
                while !isStopped, running.values.reduce(0, +) < limits.parallel ?? .max,
                    let next = queue.firstIndex(where: {
                        running[$0.cluster, default: 0] < limits.parallelPerCluster ?? .max
                    })
                {
                    let (step, cluster) = queue.remove(at: next)
                    running[cluster, default: 0] += 1
                    group.addTask {
                        try await carryOut(step, plan, journal) ?? Failure(step: step, cluster: cluster)
                    }
                }
                guard let result = try await group.next() else { return results }
                running[result.cluster, default: 1] -= 1
                guard result.error != nil || result.isWaiting else { continue }
                results.append(result)
                // What has begun is let finish; nothing new is begun.
                isStopped = true
            }
        }
        return try await ending(results, plan, journal)
    }

    /// What a step came to where it is not done.
    private struct Failure: Sendable {
        var step: StepPlan
        var cluster: String
        var error: FleetError?
        var isWaiting = false
    }

    private func ending(_ results: [Failure], _ plan: Plan, _ journal: RunJournal) async throws -> Ending? {
        let failures = results.filter { $0.error != nil }
        guard let first = failures.first(where: { $0.error?.code != .cancelled }) ?? failures.first,
            let error = first.error
        else { return results.first.map { .waiting($0.step) } }
        if error.code == .cancelled {
            // Whoever waits for people in a step looks out for what others ask meanwhile.
            if let ending = try await controlled(journal) { return ending }
            return .interrupted(interruption(journal.run, "stopped in: \(first.step.title)"))
        }
        return .failed(step: first.step, error: error)
    }

    private func cluster(of step: StepPlan) -> String {
        let configuration = inventory.configuration
        return configuration.instances[step.subject]?.cluster ?? configuration.applications[step.subject]?.cluster ?? ""
    }

    /// Carries out one step; returns what went wrong with it. Throws when the journal cannot be written.
    private func carryOut(
        _ step: StepPlan, _ plan: Plan, _ journal: RunJournal
    ) async throws -> Failure? {
        let performer = step.kind.performer
        do {
            let (attempt, startedAt) = try await journal.started(step.id)
            let context = context(step, attempt: attempt, startedAt: startedAt, plan, journal)
            if let output = try await performer.observe(context) {
                try await journal.done(step.id, output: output, alreadySo: true)
            } else {
                try await journal.done(step.id, output: try await performer.perform(context), alreadySo: false)
            }
            return nil
        } catch let failure as JournalFailure {
            throw failure.error
        } catch is WaitsForPeople {
            return Failure(step: step, cluster: cluster(of: step), isWaiting: true)
        } catch is AskedToStop {
            return Failure(step: step, cluster: cluster(of: step), error: FleetError(.cancelled, step.title))
        } catch  where error is CancellationError || Task.isCancelled {
            // A step that was stopped stays running in the journal: that is what it is.
            let error = FleetError(.cancelled, step.title, cause: "stopped")
            return Failure(step: step, cluster: cluster(of: step), error: error)
        } catch {
            let error = FleetError(error, step.title)
            do {
                try await journal.failed(step.id, error)
            } catch let failure as JournalFailure {
                throw failure.error
            }
            if try await isTolerated(step, plan, journal) {
                await journal.note(step.id, "\(step.title) failed, which the stage allows: \(error.message)")
                return nil
            }
            return Failure(step: step, cluster: cluster(of: step), error: error)
        }
    }

    /// Whether a stage goes on with so many of its applications unwell.
    private func isTolerated(_ step: StepPlan, _ plan: Plan, _ journal: RunJournal) async throws -> Bool {
        guard step.kind == .probe || step.kind == .resume, let name = step.stage, let stage = plan.stage(name) else {
            return false
        }
        var unwell: Set<String> = []
        for other in plan.steps where other.stage == name && (other.kind == .probe || other.kind == .resume) {
            if await journal.state(of: other.id) == .failed { unwell.insert(other.subject) }
        }
        return unwell.count <= stage.maxFailures
    }

    private func context(
        _ step: StepPlan, attempt: Int, startedAt: Timestamp, _ plan: Plan, _ journal: RunJournal
    ) -> StepContext {
        let store = store
        let clock = clock
        return StepContext(
            run: journal.run, step: step, part: nil, attempt: attempt, plan: plan, inventory: inventory,
            servers: servers,
            store: store, clock: clock, startedAt: startedAt, waitsForPeople: waitsForPeople,
            becomeWaiting: { try await journal.wait($0) },
            output: { await journal.output(of: $0) },
            note: { await journal.note(step.id, $0) },
            progress: { await journal.progress(step.id, $0) },
            recordDuration: { kind, subject, bytes, duration in
                // An estimate that is missing later must not fail the work that is done now.
                try? await store.recordDuration(
                    kind: kind, subject: subject, bytes: bytes, duration: duration, at: clock())
            })
    }
}

extension RunRecord {
    /// The plan that this run carries out.
    func decodedPlan() throws -> Plan {
        try Plan(decoding: Array(plan.utf8), from: "run \(id)")
    }
}
