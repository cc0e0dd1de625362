import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    /// Every pod of the instance's workload, those that are ending too.
    func pods(of instance: KubernetesInstance) async throws -> [PodView] {
        let selector = try LabelSelector.text(instance.object[path: "spec", "selector"], of: instance.workload)
        return try await pods(in: instance.namespace, labels: selector)
    }

    func pods(in namespace: String, labels: String?) async throws -> [PodView] {
        let client = try await link.client()
        let list = try await riding { try await client.list(.pods, namespace: namespace, labels: labels) }
        return list.items.map { PodView(object: $0) }
    }

    /// Pods that have the claim mounted or are about to.
    func users(ofClaim claim: String, in namespace: String) async throws -> [PodView] {
        try await pods(in: namespace, labels: nil).filter { !$0.hasEnded && $0.claims.contains(claim) }
    }

    /// The pod whose server answers or will.
    func currentPod(of instance: KubernetesInstance) async throws -> PodView? {
        try await pods(of: instance).first { !$0.isTerminating && !$0.hasEnded }
    }
}

/// Label selectors of objects as the API takes them in queries.
enum LabelSelector {
    /// - Throws: `unsupported` for an operator this program does not know, or an empty selector.
    static func text(_ selector: JSONValue?, of workload: ObjectReference) throws -> String {
        var parts = (selector?["matchLabels"]?.object ?? [:]).compactMap { key, value in
            value.string.map { "\(key)=\($0)" }
        }
        for expression in selector?["matchExpressions"]?.array ?? [] {
            let key = expression["key"]?.string ?? ""
            let values = (expression["values"]?.array ?? []).compactMap(\.string).sorted().joined(separator: ",")
            switch expression["operator"]?.string {
            case "In": parts.append("\(key) in (\(values))")
            case "NotIn": parts.append("\(key) notin (\(values))")
            case "Exists": parts.append(key)
            case "DoesNotExist": parts.append("!\(key)")
            case let unknown:
                throw FleetError(
                    .unsupported, "\(workload) has a selector with the operator \(unknown ?? "none")",
                    hint: "its pods cannot be told from others")
            }
        }
        guard !parts.isEmpty else {
            throw FleetError(.unsupported, "\(workload) has an empty selector, which chooses every pod")
        }
        return parts.sorted().joined(separator: ",")
    }
}
