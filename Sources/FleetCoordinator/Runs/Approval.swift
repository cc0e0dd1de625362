public import FleetPluginAPI
public import FleetStore

/// A person's decision on a stage of a run.
public struct Approval: Hashable, Sendable, Codable {
    public var stage: String
    public var isApproved: Bool
    public var by: String
    public var at: Timestamp
    public var reason: String
    /// SHA-256 of the plan that was looked at.
    public var planHash: String

    enum Judgement: Equatable {
        case counts
        case rejects
        case doesNotCount(String)
    }

    /// Looked at when it is used, and not when it is given: it may have grown old meanwhile.
    func judgement(for run: RunRecord, _ gate: Plan.Stage.Approval, at now: Timestamp) -> Judgement {
        guard isApproved else { return .rejects }
        if planHash != run.planHash { return .doesNotCount("it is for another plan") }
        if gate.byAnother, by == run.startedBy { return .doesNotCount("it is by who started the run") }
        if now - at > gate.expires {
            return .doesNotCount("it was given more than \(DurationText.text(gate.expires)) ago")
        }
        return .counts
    }
}

extension RunRecord {
    static func approvalKey(_ stage: String) -> String { "approval/\(stage)" }

    /// The last decision on a stage.
    public func approval(of stage: String) throws -> Approval? {
        try attributes[Self.approvalKey(stage)].map { try CanonicalJSON.decode(Approval.self, from: $0) }
    }
}

extension Coordinator {
    /// Writes down what a person has decided on a stage. Whoever carries the run out sees it, now or when it is resumed.
    ///
    /// - Parameters:
    ///   - stage: nil for the one that comes next.
    ///   - plan: the beginning of the hash of the plan that was looked at; nil for the run's.
    /// - Throws: `refused` when the run has ended, waits for no such approval, or the person may not give it; `drifted`
    ///   for another plan.
    public func decide(
        on id: String, stage: String?, approves: Bool, reason: String, plan hash: String?
    ) async throws -> Approval {
        let run = try await requireRun(id)
        guard !run.state.isEnded else {
            throw FleetError(.refused, "run \(run.id) has ended: \(run.state.rawValue)")
        }
        if let hash, !run.planHash.hasPrefix(hash) || hash.count < 8 {
            throw FleetError(
                .drifted, "run \(run.id) carries out the plan \(run.planHash.prefix(16)), and not \(hash)",
                hint: "look at it with: fleet runs show \(run.id) --plan")
        }
        let plan = try run.decodedPlan()
        let steps = try await store.steps(of: run.id)
        let open = plan.stages.filter { stage in
            stage.approval != nil
                && steps.contains { $0.id == StepPlan.id(.approve, stage.name) && $0.state != .done }
        }
        guard let chosen = open.first(where: { stage == nil || $0.name == stage }), let gate = chosen.approval else {
            throw FleetError(
                .refused,
                stage.map { "run \(run.id) waits for no approval of \($0)" }
                    ?? "run \(run.id) waits for no approval",
                hint: open.isEmpty ? nil : "it waits for that of: \(open.map(\.name).joined(separator: ", "))")
        }
        if approves, gate.byAnother, person.name == run.startedBy {
            throw FleetError(
                .refused, "\(person.name) started run \(run.id) and may not approve it",
                cause: "approvalBy: another, for the stage \(chosen.name)", hint: "ask somebody else to")
        }
        let approval = Approval(
            stage: chosen.name, isApproved: approves, by: person.name, at: now, reason: reason,
            planHash: run.planHash)
        try await store.audit(
            actor: person.name, action: approves ? "run.approve" : "run.reject", subject: run.id,
            details: ["stage": .string(chosen.name), "reason": .string(reason), "plan": .string(run.planHash)])
        try await store.setAttribute(
            run: run.id, key: RunRecord.approvalKey(chosen.name), value: try CanonicalJSON.value(approval), lease: nil)
        try await store.appendEvent(
            run: run.id, kind: approves ? "run.approved" : "run.rejected",
            message: "\(person.name) \(approves ? "approved" : "rejected") the stage \(chosen.name): \(reason)",
            lease: nil)
        return approval
    }
}
