public import FleetPluginAPI
public import FleetStore

/// How a run that was carried out stands now.
public struct RunOutcome: Sendable {
    public var run: RunRecord
    /// The run that put everything back, when this one failed or was aborted.
    public var putBack: RunRecord?
    /// What went wrong; nil when the run succeeded.
    public var error: FleetError?
    /// The step in which it did.
    public var failedStep: String?

    public init(run: RunRecord, putBack: RunRecord? = nil, error: FleetError? = nil, failedStep: String? = nil) {
        self.run = run
        self.putBack = putBack
        self.error = error
        self.failedStep = failedStep
    }
}

extension Coordinator {
    /// Writes a run of this plan down; `carryOut` does it.
    ///
    /// - Parameter hash: what was confirmed; a plan that is not what was confirmed is refused.
    public func begin(_ plan: Plan, confirmed hash: String) async throws -> RunRecord {
        guard try plan.hash() == hash else {
            throw FleetError(.refused, "the plan is not the one that was confirmed", hint: "plan again")
        }
        try checkConfiguration(plan)
        try await markAbandoned()
        return try await engine.begin(plan)
    }

    /// Marks the runs that nobody carries out any more as interrupted; backups among them end, as they left nothing
    /// half done.
    public func markAbandoned() async throws {
        for run in try await store.markInterrupted(now: now, isOwnerDead: person.isDead)
        where run.kind == Plan.Kind.backup.rawValue {
            let error = FleetError(.cancelled, "the coordinator of run \(run.id) died", hint: "make the backup anew")
            try await store.updateRun(run.id, state: .failed, error: error, endedAt: now, lease: nil)
            if let lease = try await store.lease(of: run.id) { try await store.release(lease) }
        }
    }

    /// Removes the data directories that a run kept beside as its way back; it cannot be undone afterwards.
    public func discard(_ id: String) async throws -> [String] {
        let run = try await requireRun(id)
        guard run.state.isEnded else {
            throw FleetError(.refused, "run \(run.id) has not ended", hint: "its way back may still be needed")
        }
        let members = try run.decodedPlan().members.filter { $0.wayBack == .setAside }
        guard !members.isEmpty else {
            throw FleetError(.notFound, "run \(run.id) kept no data directory beside")
        }
        for member in members {
            let instance = try inventory.instance(member.instance)
            try await inventory.platform(of: instance).discardAside(instance, tag: run.id)
        }
        try await store.setAttribute(run: run.id, key: Self.discarded, value: true, lease: nil)
        try await store.audit(actor: person.name, action: "run.discard", subject: run.id, details: nil)
        return members.map(\.instance)
    }

    static var discarded: String { "discarded" }

    /// Carries a run out, from its beginning or from where it stopped.
    ///
    /// What fails before any data was touched is put back at once, and so is a restore whose data does not pass its
    /// checks, unless the plan says to hold.
    ///
    /// - Parameter waitsForPeople: whether approvals are waited for; the run ends as waiting otherwise.
    public func carryOut(
        _ id: String, observer: any RunObserver, waitsForPeople: Bool = true
    ) async throws -> RunOutcome {
        let run = try await openRun(id)
        let plan = try run.decodedPlan()
        try checkConfiguration(plan)
        if run.state == .aborting { return try await abort(run.id, observer: observer) }
        var engine = engine
        engine.waitsForPeople = waitsForPeople
        let stopped = try await engine.carryOut(run, observer: observer)
        switch stopped.ending {
        case .waiting: return RunOutcome(run: try await requireRun(id))
        case .succeeded:
            if let undone = plan.undoes { try await finishUndo(of: undone, by: id, keeps: plan.keeps) }
            return RunOutcome(run: try await requireRun(id))
        case .interrupted(let error):
            return RunOutcome(run: try await requireRun(id), error: error)
        case .abortRequested(let by):
            try await store.audit(actor: by, action: "run.abort", subject: id, details: nil)
            return try await abort(id, observer: observer, lease: stopped.lease)
        case .failed(let step, let error):
            await notifyFailure(plan, run, step, error)
            guard try await putsBack(plan, run, step) else {
                return RunOutcome(run: try await requireRun(id), error: error, failedStep: step.id)
            }
            await observer.noted(step: nil, "putting everything back")
            var outcome = try await abort(id, observer: observer, because: error, lease: stopped.lease)
            outcome.failedStep = step.id
            return outcome
        }
    }

    /// Puts everything back as it was before a run that has not ended.
    ///
    /// - Parameter because: what made the run fail; kept as its error.
    public func abort(
        _ id: String, observer: any RunObserver, because cause: FleetError? = nil
    ) async throws -> RunOutcome {
        try await abort(id, observer: observer, because: cause, lease: nil)
    }

    /// - Parameter lease: the run's, where this process carried it out until now; nil to take it.
    private func abort(
        _ id: String, observer: any RunObserver, because cause: FleetError? = nil, lease: Lease?
    ) async throws -> RunOutcome {
        let run = try await openRun(id)
        let reason = cause ?? run.error ?? FleetError(.cancelled, "run \(id) was aborted")
        // A crash after the last step of putting back, before this run was told.
        if let done = try await undos(of: run.id).first(where: { $0.state == .succeeded }) {
            try await finishUndo(of: run.id, by: done.id, keeps: try done.decodedPlan().keeps)
            return RunOutcome(run: try await requireRun(run.id), putBack: done, error: reason)
        }
        let back = try await undoRun(of: run, because: reason, held: lease)
        var outcome: RunOutcome
        if let back {
            outcome = try await carryOut(back.id, observer: observer)
            outcome.putBack = outcome.run
        } else {
            let kept = try await planUndo(of: run, keepsStages: true).keeps
            try await endAborted(run.id, reason, keeps: kept)
            outcome = RunOutcome(run: run)
        }
        outcome.run = try await requireRun(run.id)
        outcome.error = outcome.error ?? reason
        return outcome
    }

    /// The run that undoes this one: the one begun before a crash, or a new one. Nil when nothing was done yet.
    private func undoRun(
        of run: RunRecord, because reason: FleetError, held: Lease?
    ) async throws -> RunRecord? {
        // A crash after its instances had gone over to the run that puts them back.
        if held == nil, let begun = try await undos(of: run.id).first(where: { !$0.state.isEnded }),
            try await store.lease(of: begun.id) != nil
        {
            return begun
        }
        let lease: Lease
        if let held {
            lease = try await store.renew(held, duration: RunEngine.leaseDuration, now: now)
        } else {
            lease = try await store.acquire(
                run: run.id, resources: RunEngine.resources(of: try run.decodedPlan()), owner: person.owner,
                duration: RunEngine.leaseDuration, now: now, isOwnerDead: person.isDead)
        }
        try await store.updateRun(run.id, state: .aborting, error: reason, endedAt: nil, lease: lease)
        let undo: RunRecord?
        if let begun = try await undos(of: run.id).first(where: { !$0.state.isEnded }) {
            undo = begun
        } else {
            let plan = try await planUndo(of: run, keepsStages: true)
            undo = plan.members.isEmpty && plan.applications.isEmpty ? nil : try await engine.begin(plan)
        }
        // Its instances go over to the run that puts them back.
        try await store.release(lease)
        return undo
    }

    /// Runs that take this one back, newest first.
    func undos(of id: String) async throws -> [RunRecord] {
        try await store.runs(states: nil, limit: 1000).filter { $0.undoes == id }
    }

    private func finishUndo(of id: String, by undo: String, keeps: [String]) async throws {
        let run = try await requireRun(id)
        if keeps.isEmpty { try await store.markUndone(id, by: undo) }
        if !run.state.isEnded { try await endAborted(id, run.error, keeps: keeps) }
    }

    /// - Parameter keeps: members of finished stages that stay restored.
    private func endAborted(_ id: String, _ error: FleetError?, keeps: [String] = []) async throws {
        if !keeps.isEmpty {
            try await store.setAttribute(
                run: id, key: Self.kept, value: .array(keeps.map { .string($0) }), lease: nil)
        }
        try await store.updateRun(id, state: .aborted, error: error, endedAt: now, lease: nil)
        let message = keeps.isEmpty ? "everything was put back" : "\(keeps.joined(separator: ", ")) stay restored"
        try await store.appendEvent(run: id, kind: "run.aborted", message: message, lease: nil)
        let run = try await requireRun(id)
        await notify(
            Notice(
                event: .runAborted, time: now, run: id, title: "aborted: \(run.title)",
                text: message + (keeps.isEmpty ? "" : ". Take them back with: fleet runs undo \(id)")))
    }

    /// Attribute of an aborted run: the members that stay restored.
    public static var kept: String { "kept" }

    private func putsBack(_ plan: Plan, _ run: RunRecord, _ step: StepPlan) async throws -> Bool {
        guard try await canBePutBack(plan) else { return false }
        switch plan.options.onFailure {
        case .hold: return false
        case .putBack: return true
        case .auto:
            let steps = try await store.steps(of: run.id)
            let touched = steps.contains { record in
                // Setting aside is a rename: where it failed, nothing moved.
                let isHarmless = record.id == step.id && step.kind == .setAside
                return StepKind(rawValue: record.kind)?.touchesData == true && record.state != .pending && !isHarmless
            }
            return !touched || step.kind == .verify || step.kind == .agree
        }
    }

    /// A restore, or the undo of one that had succeeded. What puts a failed run back is not itself put back.
    private func canBePutBack(_ plan: Plan) async throws -> Bool {
        switch plan.kind {
        case .restore, .search, .rehearsal, .drill: return true
        case .undo:
            guard let undone = plan.undoes else { return false }
            return try await requireRun(undone).state == .succeeded
        case .restoreInto, .backup: return false
        }
    }

    private func notifyFailure(_ plan: Plan, _ run: RunRecord, _ step: StepPlan, _ error: FleetError) async {
        let notice = Notice(
            event: .runFailed, time: now, run: run.id, title: "failed: \(plan.title)",
            text: "\(step.title): \(error.message). See: fleet runs show \(run.id)")
        await notify(notice)
    }

    /// A notifier that fails is written down and holds nothing up.
    private func notify(_ notice: Notice) async {
        for (name, failure) in await Notification(inventory: inventory).send(notice) {
            _ = try? await store.appendEvent(
                run: notice.run, kind: "note", message: "the notifier \(name) failed: \(failure)", lease: nil)
        }
    }

    private func openRun(_ id: String) async throws -> RunRecord {
        let run = try await requireRun(id)
        guard !run.state.isEnded else {
            throw FleetError(
                .refused, "run \(id) has ended: \(run.state.rawValue)",
                hint: run.state == .succeeded ? "take it back with: fleet runs undo \(id)" : nil)
        }
        return run
    }

    /// - Throws: `notFound`.
    public func requireRun(_ id: String) async throws -> RunRecord {
        if let run = try await store.run(id) { return run }
        let matches = try await store.runs(idPrefix: id)
        if matches.count == 1 { return matches[0] }
        throw FleetError(
            .notFound, matches.isEmpty ? "there is no run \(id)" : "\(matches.count) runs begin with \(id)",
            hint: "see: fleet runs list")
    }

    private func checkConfiguration(_ plan: Plan) throws {
        guard plan.configuration == inventory.configurationDigest else {
            throw FleetError(
                .drifted, "fleet.yaml is not the one that the plan was made from",
                hint: "plan again, or bring back the file as it was")
        }
    }
}
