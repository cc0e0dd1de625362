import FleetConfig
public import FleetPluginAPI
public import FleetStore

extension Coordinator {
    /// Plans to look for the latest cut at or before a time at which the invariants of a set hold, in copies of its
    /// members that are removed afterwards. Members and applications stay as they are.
    ///
    /// - Throws: `refused` where there is nothing to look by; what keeps a member from being restored to the time.
    public func planSetSearch(_ name: String, target: RecoveryTarget) async throws -> Plan {
        let set = try RestoreSet(name, in: inventory)
        guard !set.declared.invariants.isEmpty else {
            throw FleetError(
                .refused, "the restore set \(name) has no invariants to look by",
                hint: "declare what must hold between its members under invariants:")
        }
        let time = try time(of: target, for: "--search looks back from a time")
        let clocks = try await memberClocks(of: set)
        var unknown: [String] = []
        var input = RestoreInput(
            instances: set.declared.members, target: TargetRequest(target: .time(time)),
            into: RestoreInput.Into(name: "\(name.prefix(20))-search", place: nil),
            options: RestoreOptions(onFailure: .putBack, backupAfterwards: false),
            set: SetPlan(name: name, mark: nil, distance: nil, alternatives: [], invariants: set.declared.invariants))
        for member in set.members {
            var moment = time
            if let offset = try? clocks.offset(of: member.name, at: time) {
                moment = time + .microseconds(offset.ahead)
            } else {
                unknown.append(member.name)
            }
            input.targets[member.name] = TargetRequest(target: .time(moment))
        }
        var plan = try await planRestore(input)
        plan.kind = .search
        plan.title = "search the set \(name) for the latest cut at or before \(time) at which its invariants hold"
        plan.steps = RestoreSteps.search(plan.members, set: name)
        if !unknown.isEmpty {
            plan.warnings.append("nothing is known of the clocks of \(unknown.joined(separator: ", ")) at that time")
        }
        return plan
    }

    /// Plans the restore of a set to what a search has found.
    ///
    /// - Parameters:
    ///   - search: a run of a plan of `planSetSearch` that has succeeded.
    public func planRestore(
        toFoundBy search: RunRecord, _ manner: RestoreTerms
    ) async throws -> Plan {
        let searched = try search.decodedPlan()
        guard let set = searched.set, let found = FoundCut(searched, steps: try await store.steps(of: search.id)) else {
            throw FleetError(
                .refused, "run \(search.id) has found no cut", hint: "search with: fleet restore --set … --search")
        }
        var input = RestoreInput(
            instances: searched.members.map(\.instance), target: TargetRequest(target: .latest), into: manner.into,
            wayBack: manner.wayBack, options: manner.options,
            set: SetPlan(
                name: set.name, mark: nil, found: found, distance: nil, alternatives: [], invariants: set.invariants))
        for member in found.members {
            input.targets[member.instance] = TargetRequest(
                target: .lsn(member.lsn), timeline: searched.member(member.instance)?.target?.timeline)
        }
        var plan = try await planRestore(input)
        plan.warnings.append(
            "searched: the declared invariants were seen to hold at this cut, and they prove nothing that they do not "
                + "ask: an effect of another kind may be there without its cause")
        return plan
    }
}

/// A cut at which the invariants of a set were seen to hold, in copies of its members.
public struct FoundCut: Hashable, Sendable, Codable {
    /// The search.
    public var run: String
    public var members: [Member]
    /// What was asked there.
    public var results: [DataCheckResult]
    /// The nearest later cut that was tried, and what did not hold there; nil where the time asked for itself serves.
    public var rejected: DataCheckResult?
    /// How many cuts were looked at.
    public var probes: Int

    public struct Member: Hashable, Sendable, Codable {
        public var instance: String
        public var lsn: LSN
        /// By the member's own clock.
        public var lastCommitAt: Timestamp?
    }

    init(run: String, members: [Member], results: [DataCheckResult], rejected: DataCheckResult?, probes: Int) {
        self.run = run
        self.members = members
        self.results = results
        self.rejected = rejected
        self.probes = probes
    }

    /// What a search came to; nil while it has not, and for other plans.
    public init?(_ plan: Plan, steps: [StepRecord]) {
        guard plan.kind == .search, let set = plan.set,
            let step = steps.first(where: { $0.id == StepPlan.id(.search, set.name) && $0.state == .done }),
            let output = step.output, let found = try? CanonicalJSON.decode(FoundCut.self, from: output)
        else { return nil }
        self = found
    }
}
