public import FleetPluginAPI
public import FleetStore

/// What a restore of a set has come to, as evidence: which cut, how it was made, and what was found to hold.
public struct SetVerdict: Hashable, Sendable, Codable {
    public var set: String
    /// The mark's name, or about what time.
    public var cut: String
    /// `fenced`, `ordered`, `loose`, `approximate`, `searched`.
    public var kind: String
    /// What the kind of the mark says, in a sentence.
    public var statement: String
    public var members: [Member]
    /// Absent until the members were asked.
    public var invariants: [DataCheckResult]?
    /// Two-phase transactions that were open at the mark; absent until they were looked at.
    public var transactions: [Transaction]?
    /// Where the cut was found by looking.
    public var search: Search?

    public struct Search: Hashable, Sendable, Codable {
        public var run: String
        /// How often an invariant was asked.
        public var probes: Int
        /// The nearest later cut that was tried, and what did not hold there.
        public var rejected: DataCheckResult?
    }

    public struct Member: Hashable, Sendable, Codable {
        public var instance: String
        public var timeline: TimelineID
        public var markLSN: LSN?
        /// Where the paused member stood; nil until it did.
        public var restoredTo: LSN?
        /// When the last transaction that it has was committed, by its own clock.
        public var lastCommitAt: Timestamp?
        /// Commits after the mark that are gone.
        public var lost: Int
        public var lostUntil: Timestamp?
    }

    public struct Transaction: Hashable, Sendable, Codable {
        public var transaction: String
        /// By member: `prepared`, `committed`, `rolledBack`, `absent`, `unknown`.
        public var sides: [String: String]
        /// `commit`, `rollBack`, `broken`, `undecided`.
        public var decision: String
    }

    /// Nil for a plan of no set.
    ///
    /// - Parameter steps: of the run that carries the plan out; none for a plan alone.
    public init?(_ plan: Plan, steps: [StepRecord]) {
        guard let set = plan.set else { return nil }
        let found = set.found ?? FoundCut(plan, steps: steps)
        // A search says nothing before its end.
        guard plan.kind != .search || found != nil else { return nil }
        func output(_ kind: StepKind, _ subject: String) -> JSONValue? {
            steps.first { $0.id == StepPlan.id(kind, subject) && $0.state == .done }?.output
        }
        self.set = set.name
        cut = plan.kind == .search ? "what this run found" : set.cut
        kind = plan.kind == .search ? "searched" : set.kind
        statement =
            switch set.mark?.kind {
            case .fenced: "a consistent cut: the writers of every member were held at one moment"
            case .ordered: "no effect without its cause, where writes follow from each other one way"
            case .loose:
                "members aligned to \(set.mark?.skew.map(DurationText.text) ?? "an unknown time") of each other, "
                    + "not consistent"
            case nil where found != nil:
                "searched: the declared invariants held at this cut, and what they do not ask is not known to be whole"
            case nil:
                "approximate: each member at one time by its own clock, "
                    + "\(set.approximation.map { DurationText.text($0.residual) } ?? "an unknown time") apart at most, "
                    + "not consistent"
            }
        members = plan.members.map { member in
            let marked = set.mark?.members.first { $0.instance == member.instance }
            let replay = output(.verify, member.instance)?["replay"].flatMap {
                try? CanonicalJSON.decode(ReplayObservation.self, from: $0)
            }
            let looked = found?.members.first { $0.instance == member.instance }
            let stood = plan.kind == .search ? nil : replay
            return Member(
                instance: member.instance, timeline: marked?.timeline ?? member.target?.timeline ?? 0,
                markLSN: marked?.lsn ?? looked?.lsn, restoredTo: stood?.replayedTo,
                lastCommitAt: stood?.lastTransactionAt ?? looked?.lastCommitAt,
                lost: member.target?.lost.count ?? 0, lostUntil: member.target?.lost.last)
        }
        invariants =
            output(.agree, set.name)?["invariants"].flatMap {
                try? CanonicalJSON.decode([DataCheckResult].self, from: $0)
            } ?? found?.results
        search = found.map { Search(run: $0.run, probes: $0.probes, rejected: $0.rejected) }
        transactions = output(.reconcile, set.name)?["transactions"].flatMap {
            try? CanonicalJSON.decode([Transaction].self, from: $0)
        }
    }
}
