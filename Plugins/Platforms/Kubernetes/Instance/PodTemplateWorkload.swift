import FleetPluginAPI
import KubernetesClient

/// A PodTemplate (core/v1) as what runs a server: the description stays in the cluster, and fleet makes the one pod of it
/// and deletes it. For servers that no controller keeps up.
enum PodTemplateWorkload {
    /// The object with the members that controllers of pods have, made of what there is: as many replicas as there are
    /// pods that are to stay, and the labels of the template as selector.
    ///
    /// - Throws: `refused` where the pods are somebody else's.
    static func normal(_ object: JSONValue, pods: [PodView]) throws -> JSONValue {
        let alive = pods.filter { !$0.isTerminating && !$0.hasEnded }
        let owners = alive.flatMap { $0.object[path: "metadata", "ownerReferences"]?.array ?? [] }
        if let owner = owners.first(where: { $0["controller"]?.bool == true }) {
            let name = "\(owner["kind"]?.string ?? "") \(owner["name"]?.string ?? "")"
            throw FleetError(
                .refused,
                "the pod \(alive.map(\.name).joined(separator: ", ")) has the labels of the PodTemplate "
                    + "\(object.objectName ?? ""), and belongs to the \(name)",
                cause: "its controller would make it again whenever fleet deletes it",
                hint: "declare what the \(name) belongs to as the instance's `workload`")
        }
        guard case .object(var members) = object else { return object }
        members["spec"] = [
            "template": object["template"] ?? .object([:]),
            "selector": ["matchLabels": .object(labels(of: object))],
            "replicas": .integer(Int64(alive.count)),
        ]
        return .object(members)
    }

    private static func labels(of object: JSONValue) -> [String: JSONValue] {
        object[path: "template", "metadata", "labels"]?.object ?? [:]
    }

    /// - Throws: `unsupported` for a template without labels: its pods could not be told from others.
    static func selector(_ object: JSONValue, of workload: ObjectReference) throws -> String {
        try LabelSelector.text(["matchLabels": .object(labels(of: object))], of: workload)
    }

    /// The pod that is made of it. It has the template's name: there is one at most.
    static func pod(_ instance: KubernetesInstance) -> JSONValue {
        var metadata: [String: JSONValue] = [
            "name": .string(instance.workload.name), "namespace": .string(instance.namespace),
        ]
        for member in ["labels", "annotations"] {
            metadata[member] = instance.template[path: "metadata", member]
        }
        return ["apiVersion": "v1", "kind": "Pod", "metadata": .object(metadata), "spec": instance.pod]
    }
}

extension KubernetesPlatform {
    /// Makes the pod, unless it is there.
    func makePod(of instance: KubernetesInstance) async throws {
        let client = try await link.client()
        let reference = ObjectReference(.pods, namespace: instance.namespace, name: instance.workload.name)
        for pod in try await pods(of: instance) {
            if !pod.isTerminating, !pod.hasEnded { return }
            // One that ended by itself keeps the name.
            if pod.name == reference.name, !pod.isTerminating {
                try await riding { try await client.delete(reference, uid: pod.uid) }
            }
        }
        do {
            _ = try await client.create(
                PodTemplateWorkload.pod(instance), kind: .pods, namespace: instance.namespace)
        } catch let error as FleetError where error.code == .alreadyExists {
            let there = try await riding { try await client.find(reference) }.map { PodView(object: $0) }
            guard let there, try await pods(of: instance).contains(where: { $0.uid == there.uid }) else {
                throw FleetError(
                    .conflict, "the pod of \(instance.name) cannot be made: there is another pod \(reference.name)",
                    cause: "it has not the labels of the PodTemplate", hint: "remove it, if nobody needs it")
            }
        }
    }

    /// Deletes the pods in order, with their grace period, and waits until none is left.
    func removePods(of instance: KubernetesInstance, deadline: Duration) async throws {
        let client = try await link.client()
        let end = ContinuousClock.now + deadline
        while true {
            let left = try await pods(of: instance).filter { !$0.hasEnded }
            if left.isEmpty { return }
            for pod in left where !pod.isTerminating {
                let reference = ObjectReference(.pods, namespace: instance.namespace, name: pod.name)
                try await riding { try await client.delete(reference, uid: pod.uid) }
            }
            guard ContinuousClock.now < end else {
                throw FleetError(
                    .timedOut, "\(instance.workload) is not gone after \(DurationText.text(deadline))",
                    cause: left.map { "the pod \($0.name) is ending on \($0.node ?? "no node")" }.joined(
                        separator: "; "),
                    hint: "a pod whose node is lost must be confirmed dead before it is removed by force",
                    retriable: false)
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
