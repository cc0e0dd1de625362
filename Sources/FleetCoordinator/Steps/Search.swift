import FleetConfig
import FleetPluginAPI

/// The latest cut at which the invariants of a set hold is known.
struct Search: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let set = context.plan.set else { throw FleetError(.drifted, "the plan has no restore set") }
        var standing: [String: LSN] = [:]
        var times: [String: Timestamp] = [:]
        var histories: [String: CommitHistory] = [:]
        for member in context.plan.members {
            guard let target = member.target, case .time(let time) = target.requested else {
                throw FleetError(.drifted, "the plan names no time for \(member.instance)")
            }
            times[member.instance] = time
            // Only what nobody has moved since is known to stand where its target is.
            if context.attempt == 1 { standing[member.instance] = target.stopLSN }
        }
        let copies = MovableCopies(context, standing: standing)
        for member in context.plan.members {
            guard let target = member.target else { continue }
            histories[member.instance] = try CommitHistory(of: try await copies.world(of: member.instance), to: target)
        }
        var search = SetSearch(
            invariants: set.invariants + context.plan.members.flatMap(\.ownInvariants),
            reach: try RestoreSet(set.name, in: context.inventory).declared.clockTolerance, times: times,
            histories: histories, prober: copies, log: context.note)
        let found = try await search.run()
        return try CanonicalJSON.value(
            FoundCut(
                run: context.run,
                members: found.cut.map { .init(instance: $0.key, lsn: $0.value.lsn, lastCommitAt: $0.value.time) }
                    .sorted { $0.instance < $1.instance },
                results: found.results, rejected: found.rejected, probes: found.probes))
    }
}

extension Plan.Member {
    /// The checks of one member, which a cut has to pass as well.
    fileprivate var ownInvariants: [Invariant] {
        checks.map { Invariant(name: "\(instance): \($0.name)", rule: .check(member: instance, $0)) }
    }
}
