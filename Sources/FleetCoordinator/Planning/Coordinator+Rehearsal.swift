import FleetPluginAPI
public import FleetStore

extension Coordinator {
    /// Where a rehearsal restores to.
    public static var rehearsalPlace: RestoreInput.Into {
        RestoreInput.Into(name: "rehearsal", place: nil, isPrefix: true)
    }

    /// Makes a rehearsal of a restore beside its sources: the same, checked and promoted, and removed at its end.
    public func rehearsal(of plan: Plan) -> Plan {
        var rehearsal = plan
        rehearsal.kind = .rehearsal
        rehearsal.title = "rehearse: \(plan.title)"
        rehearsal.options.onFailure = .putBack
        rehearsal.steps = RestoreSteps.rehearsal(plan.members, set: plan.set?.name)
        return rehearsal
    }

    /// Binds a plan to the run that has rehearsed it.
    ///
    /// - Throws: `drifted` where it would restore from, or to, something else by now.
    public func bind(_ plan: Plan, rehearsedBy run: RunRecord) throws -> Plan {
        let rehearsed = try run.decodedPlan()
        guard rehearsed.kind == .rehearsal, run.state == .succeeded else {
            throw FleetError(.refused, "run \(run.id) is no rehearsal that succeeded")
        }
        for member in plan.members {
            let other = rehearsed.member(member.instance)?.target
            guard let target = member.target, let other, target.stop == other.stop,
                target.timeline == other.timeline, target.backup.label == other.backup.label
            else {
                throw FleetError(
                    .drifted, "\(member.instance) would not be restored as run \(run.id) has rehearsed it",
                    cause: "another backup, timeline or stop is chosen by now", hint: "rehearse again")
            }
        }
        var plan = plan
        plan.rehearsedBy = run.id
        return plan
    }
}
