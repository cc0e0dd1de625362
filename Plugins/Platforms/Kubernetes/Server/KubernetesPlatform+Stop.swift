public import FleetPluginAPI
import KubernetesClient
import KubernetesWorkloads

extension KubernetesPlatform {
    public func stop(_ instance: Instance, mode: StopMode, deadline: Duration) async throws {
        let found = try await resolve(instance)
        let end = ContinuousClock.now + deadline
        if mode == .immediate { try await crash(found) }
        guard found.workload.kind != .podTemplates else {
            try await removePods(of: found, deadline: deadline)
            return try await awaitDetached(found, until: end, deadline)
        }
        let workload = workload(of: found)
        _ = try await workload.quiesce(run: holder(of: found))
        // The kubelet may have started it again meanwhile.
        if mode == .immediate { try await crash(found) }
        try await workload.awaitGone(deadline: deadline)
        try await awaitDetached(found, until: end, deadline)
    }

    /// The instance's own workload as what is taken to zero and back; not for PodTemplates.
    func workload(of instance: KubernetesInstance) -> KubernetesWorkload {
        let kind: WorkloadReference.Kind = instance.workload.kind == .deployments ? .deployment : .statefulSet
        return KubernetesWorkload(
            WorkloadReference(kind, namespace: instance.namespace, name: instance.workload.name), login: link.login)
    }

    /// Who has it down, in the record: whichever run asks, it is the same platform that brings it back.
    func holder(of instance: KubernetesInstance) -> String { "fleet platform \(instance.name)" }

    /// Ends the postmaster as a crash would, so that its pod's end finds nothing left to shut down.
    ///
    /// The kubelet notices a container's end about a second later, and starts no container of a pod that is being deleted.
    /// Where it is quicker than the deletion, the server may be shut down in order after all.
    private func crash(_ instance: KubernetesInstance) async throws {
        guard let pod = try await currentPod(of: instance), pod.isRunning(instance.containerName) else { return }
        let script = #"read -r pid < "$0/postmaster.pid" && kill -QUIT "$pid""#
        _ = try? await run(["sh", "-c", script, instance.dataDirectory], in: pod, instance)
    }

    /// Waits until no node has the volume attached. Volumes that are not attached to nodes (NFS, local paths) have no
    /// VolumeAttachment, and one that may not be seen is not waited for: the pods are gone in any case.
    private func awaitDetached(
        _ instance: KubernetesInstance, until end: ContinuousClock.Instant, _ deadline: Duration
    ) async throws {
        let client = try await link.client()
        let claim = try await riding {
            try await client.find(
                ObjectReference(.persistentVolumeClaims, namespace: instance.namespace, name: instance.data.claim))
        }
        guard let volume = claim?[path: "spec", "volumeName"]?.string else { return }
        while true {
            let attached: [JSONValue]
            do {
                attached = try await riding { try await client.list(.volumeAttachments).items }.filter {
                    $0[path: "spec", "source", "persistentVolumeName"]?.string == volume
                }
            } catch let error as FleetError where error.code == .denied || error.code == .unsupported {
                return
            }
            guard let first = attached.first else { return }
            guard ContinuousClock.now < end else {
                throw FleetError(
                    .timedOut,
                    "the volume of \(instance.name) is still attached after \(DurationText.text(deadline))",
                    cause: "\(volume) to the node \(first[path: "spec", "nodeName"]?.string ?? "")",
                    hint: "look at the events of the VolumeAttachment \(first.objectName ?? "")")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
