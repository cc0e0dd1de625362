public import FleetPluginAPI
import KubernetesClient

extension KubernetesWorkload {
    /// Puts back what was paused, then the number of copies, and takes the record away with that.
    ///
    /// The record goes last, so that what carries none has come back whole.
    public func resume(_ record: QuiesceRecord) async throws {
        let cluster = try await cluster()
        let state = try await Patience.ride { try await self.state(cluster) }
        let known = try state.record
        if let known { try check(known, isOf: record.run) }
        let around = try await Patience.ride { try await finder(cluster, state).find() }
        let pauser = pauser(cluster)
        var released: Set<ObjectReference> = []
        for held in try (known?.held ?? []) + record.held where released.insert(held.object).inserted {
            // Without a record all is back already, and what was changed since is somebody's wish.
            try await pauser.release(held.object, record: known == nil ? nil : held)
        }
        // What was paused just before a crash, and is in no record.
        for pause in around.pauses where pause.note?.holders[pauser.holder] != nil {
            if released.insert(pause.target).inserted { try await pauser.release(pause.target, record: nil) }
        }
        var seen: WorkloadState? = state
        try await Patience.ride {
            let now = try await takeOrRead(&seen, cluster)
            try await scaleUp(record, now, atLeast: around.minimum, cluster)
        }
    }

    private func scaleUp(
        _ record: QuiesceRecord, _ state: WorkloadState, atLeast minimum: Int, _ cluster: KubernetesCluster
    ) async throws {
        var edit = ObjectEdit(state.object)
        edit.require(WorkloadState.replicasPath)
        // An autoscaler leaves an application alone that had no copies: it stays at none.
        let count = record.original == 0 ? 0 : max(record.original, minimum)
        if let known = try state.record {
            try check(known, isOf: record.run)
            edit.require(WorkloadState.recordPath)
            edit.set(WorkloadState.replicasPath, .integer(Int64(count)))
            edit.set(WorkloadState.recordPath, nil)
        } else if state.replicas == 0 {
            // Something replaced the whole object and took the record with it.
            edit.set(WorkloadState.replicasPath, .integer(Int64(count)))
        }
        if !edit.isEmpty { try await cluster.client.patch(reference.object, edit.patch) }
    }

    /// Takes the record out of ReplicaSets.
    ///
    /// The Deployment's controller copies annotations to its newest ReplicaSet and never takes them away there
    /// (kubernetes/pkg/controller/deployment/util, `SetNewReplicaSetAnnotations`), and `kubectl rollout undo` copies
    /// them back: the Deployment would look as if a run had it down.
    func clearCopies(_ state: WorkloadState, _ cluster: KubernetesCluster) async throws {
        guard reference.kind == .deployment else { return }
        let place = SharedReads.Place(kind: .replicaSets, namespace: reference.namespace)
        let selector = try state.selector
        try await Patience.ride {
            for copy in try await cluster.reads.objects(place, .labelled(selector))
            where copy[path: WorkloadState.recordPath] != nil {
                guard ObjectOwner.controller(of: copy)?.uid == state.object.objectUID else { continue }
                var edit = ObjectEdit(copy)
                edit.set(WorkloadState.recordPath, nil)
                let name = copy.objectName ?? ""
                try await cluster.client.patch(
                    ObjectReference(.replicaSets, namespace: reference.namespace, name: name), edit.patch)
            }
        }
    }
}
