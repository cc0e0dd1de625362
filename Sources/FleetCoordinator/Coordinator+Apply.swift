import FleetPluginAPI
import FleetStore

extension Coordinator {
    /// Checks that the world is still what a kept plan was made for.
    ///
    /// - Throws: `drifted` that lists every difference; `conflict` where another run is at work on it.
    public func checkDrift(_ plan: Plan) async throws {
        try await checkFree(plan)
        var differences: [String] = []
        if plan.configuration != inventory.configurationDigest { differences.append("fleet.yaml was changed") }
        for member in plan.members {
            differences += try await drift(of: member)
        }
        for application in plan.applications {
            let scale = try await inventory.scaler(of: application.name).observe()
            if scale.desired != application.scale.desired {
                differences.append(
                    "\(application.name) is scaled to \(scale.desired), not \(application.scale.desired)")
            }
            if let record = scale.record, record.run != application.record?.run {
                differences.append("\(application.name) was taken down by run \(record.run)")
            }
        }
        guard differences.isEmpty else {
            throw FleetError(
                .drifted, "the world has changed since the plan was made", cause: differences.joined(separator: "; "),
                hint: "plan again")
        }
    }

    /// Said before anything is looked at: what another run has in its hands may be gone from one moment to the next.
    private func checkFree(_ plan: Plan) async throws {
        let wanted = Set(RunEngine.resources(of: plan))
        for run in try await store.runs(states: [.running, .waiting, .interrupted, .aborting], limit: 1000) {
            guard try await store.lease(of: run.id) != nil,
                let held = Set(RunEngine.resources(of: try run.decodedPlan())).intersection(wanted).min()
            else { continue }
            throw FleetError(
                .conflict, "\(held) is held by run \(run.id), which is \(run.state.rawValue)", cause: run.title,
                hint: "follow it with: fleet runs watch \(run.id)", retriable: false)
        }
    }

    private func drift(of member: Plan.Member) async throws -> [String] {
        guard let target = member.target else { return [] }
        let instance = try inventory.instance(member.instance)
        let world = try await WorldGatherer(inventory: inventory, servers: servers).gather(instance)
        var differences: [String] = []
        if !world.catalog.backups.contains(where: { $0.label == target.backup.label && $0.problem == nil }) {
            differences.append("the backup \(target.backup.label) of \(member.instance) is gone")
        }
        if world.timeline != member.timeline {
            differences.append(
                "\(member.instance) is on timeline \(world.timeline.map(String.init) ?? "unknown"), not "
                    + (member.timeline.map(String.init) ?? "unknown"))
        }
        if world.systemIdentifier != member.systemIdentifier {
            differences.append("\(member.instance) has another system identifier")
        }
        if world.process.state != member.state {
            differences.append("\(member.instance) is \(world.process.state.rawValue), not \(member.state.rawValue)")
        }
        return differences
    }
}
