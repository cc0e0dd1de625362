import FleetConfig
public import FleetPluginAPI
import FleetStore

/// What a drill has proven, as its run's journal keeps it.
public struct DrillResult: Hashable, Sendable {
    public enum Verdict: String, Hashable, Sendable, Codable {
        case passed
        /// All was well, and took longer than the policy's RTO.
        case tooSlow
        case failed
        /// Not at its end.
        case running
    }

    public var run: String
    public var at: Timestamp
    public var set: String?
    public var verdict: Verdict
    public var error: FleetError?
    public var members: [Member]

    public struct Member: Hashable, Sendable {
        public var instance: String
        public var target: ResolvedTarget?
        public var evidence: MemberEvidence
        /// Tables and indices that were looked through; nil until they were.
        public var structure: StructureReport?
        /// From the first byte to a server that takes writes; nil until it did.
        public var took: Duration?
        /// The policy's.
        public var rto: Duration?
        /// Seconds of each part: `restore`, `start`, `recover`, `verify`, `promote`, `inspect`.
        public var parts: [String: Duration]

        /// Nil where nothing is asked or known.
        public var isWithinRTO: Bool? { rto.flatMap { rto in took.map { $0 <= rto } } }
    }

    init(_ run: RunRecord, _ plan: Plan, _ steps: [StepRecord], in inventory: Inventory) throws {
        self.run = run.id
        at = run.createdAt
        set = plan.set?.name
        error = run.error
        members = plan.members.map { member in
            let policy = inventory.configuration.instances[member.instance]?.policy
            return Member(member, steps, rto: policy.flatMap { inventory.configuration.policies[$0]?.rto })
        }
        switch run.state {
        case .succeeded: verdict = members.contains { $0.isWithinRTO == false } ? .tooSlow : .passed
        case .failed, .aborted, .interrupted: verdict = .failed
        case .running, .waiting, .aborting: verdict = .running
        }
    }
}

extension DrillResult.Member {
    /// What a restore consists of, in order.
    private static let timed: [StepKind] = [.restore, .start, .recover, .verify, .promote]

    fileprivate init(_ member: Plan.Member, _ steps: [StepRecord], rto: Duration?) {
        func done(_ kind: StepKind) -> StepRecord? {
            steps.first { $0.id == StepPlan.id(kind, member.instance) && $0.state == .done }
        }
        instance = member.instance
        target = member.target
        evidence = MemberEvidence(member.instance, steps: steps)
        structure = done(.inspect)?.output.flatMap { try? CanonicalJSON.decode(StructureReport.self, from: $0) }
        self.rto = rto
        parts = [:]
        for kind in Self.timed + [.inspect] {
            guard let step = done(kind), let began = step.startedAt, let ended = step.endedAt else { continue }
            parts[kind.rawValue] = ended - began
        }
        if let began = done(.restore)?.startedAt, let ended = done(.promote)?.endedAt { took = ended - began }
    }
}
