public import FleetPluginAPI
import KubernetesClient

extension KubernetesWorkload {
    /// Pauses what would bring it back, then records and scales in one patch.
    ///
    /// - Throws: `refused` where it cannot be kept down (`obstacles` says so beforehand), `conflict` when another run
    ///   has taken it down.
    public func quiesce(run: String) async throws -> QuiesceRecord {
        let cluster = try await cluster()
        let state = try await Patience.ride { try await self.state(cluster) }
        let known = try state.record
        if let known { try check(known, isOf: run) }
        let around = try await Patience.ride { try await finder(cluster, state).find() }
        // One that is down already must stay down whatever has come up since.
        if known == nil { try refuse(state, around) }
        let (held, replicas) = try await hold(around.pauses, run, state, cluster)
        var seen: WorkloadState? = state
        return try await Patience.ride {
            // What was read before is right in most cases; the tests of the patch find out. Whether a patch whose answer
            // was lost has been made, only another look can say.
            let now = try await takeOrRead(&seen, cluster)
            return try await scaleDown(run, now, held, replicas, cluster)
        }
    }

    /// Returns what was noted, and the greatest count that a note has.
    private func hold(
        _ pauses: [Pause], _ run: String, _ state: WorkloadState, _ cluster: KubernetesCluster
    ) async throws -> (held: [Pause.Held], replicas: Int) {
        let pauser = pauser(cluster)
        let original = try state.record?.original ?? state.replicas
        var all: [(held: Pause.Held, replicas: Int)] = []
        for pause in pauses {
            if let one = try await pauser.hold(pause, run: run, replicas: original) { all.append(one) }
        }
        return (all.map(\.held), all.map(\.replicas).max() ?? 0)
    }

    private func scaleDown(
        _ run: String, _ state: WorkloadState, _ held: [Pause.Held], _ replicas: Int, _ cluster: KubernetesCluster
    ) async throws -> QuiesceRecord {
        var edit = ObjectEdit(state.object)
        edit.require(WorkloadState.replicasPath)
        let record: QuiesceRecord
        if let known = try state.record {
            try check(known, isOf: run)
            edit.require(WorkloadState.recordPath)
            record = known
        } else {
            // Another run's record that has come since would have changed the replicas, unless they were 0 before.
            if state.replicas == 0 { edit.require(WorkloadState.recordPath) }
            let original = state.replicas > 0 ? state.replicas : replicas
            let details = try held.isEmpty ? .null : JSONValue.object(["paused": JSONText.value(held)])
            record = QuiesceRecord(run: run, original: original, details: details)
            edit.set(WorkloadState.recordPath, .string(try JSONText.encode(record)))
        }
        edit.set(WorkloadState.replicasPath, 0)
        if !edit.isEmpty { try await cluster.client.patch(reference.object, edit.patch) }
        return record
    }

    private func refuse(_ state: WorkloadState, _ around: Surroundings) throws {
        let reasons = inherentObstacles(state) + around.obstacles + around.unknowns
        guard !reasons.isEmpty else { return }
        throw FleetError(
            .refused, "\(reference) is not taken down, because it would not stay down or not come back as it was",
            cause: reasons.joined(separator: "; "))
    }

    /// What the workload itself says against being scaled.
    func inherentObstacles(_ state: WorkloadState) -> [String] {
        var reasons: [String] = []
        if let owner = state.controller { reasons.append(owner.refusal(reference)) }
        if state.deletesVolumesWhenScaled {
            reasons.append(
                "\(reference) deletes its volumes when it is scaled down: set "
                    + "spec.persistentVolumeClaimRetentionPolicy.whenScaled to Retain")
        }
        return reasons
    }
}

extension QuiesceRecord {
    /// What is paused for it.
    var held: [Pause.Held] {
        get throws {
            guard let value = details["paused"] else { return [] }
            return try JSONText.decode([Pause.Held].self, value)
        }
    }
}
