import FleetPluginAPI
import KubernetesClient

/// Argo CD and Flux write into what they manage where they found it: that is how they are recognised.
extension SurroundingsFinder {
    /// Flux: labels with the name and namespace of what applied it; `spec.suspend` stops that.
    func addFlux(_ kind: OptionalKind, _ found: inout Surroundings) async throws {
        let prefix = kind.group
        let labels = workload.object.labels
        guard options.pausesGitOps, let name = labels["\(prefix)/name"] else { return }
        let namespace = labels["\(prefix)/namespace"] ?? namespace
        let title = "the Flux \(kind.kind) \(namespace)/\(name)"
        guard let resource = try await cluster.kind(kind) else {
            found.obstacles.append(elsewhere(title))
            return
        }
        let reference = ObjectReference(resource, namespace: namespace, name: name)
        guard let object = try await one(reference, &found) else {
            found.obstacles.append(elsewhere(title))
            return
        }
        found.pauses.append(
            try Pause(
                object, reference, title: title, effect: "applies it and would bring it back",
                settings: [Pause.suspended]))
    }

    /// Argo CD: the annotation `tracking-id` (`APP:GROUP/KIND:NAMESPACE/NAME`, or `NAMESPACE_APP:…`), or a label that
    /// Helm sets too, so that it counts only where there is an Application of that name which lists the workload.
    func addArgo(_ found: inout Surroundings) async throws {
        let tracking = workload.object.annotations["argocd.argoproj.io/tracking-id"]
        let label = workload.object.labels["app.kubernetes.io/instance"]
        guard options.pausesGitOps,
            let (namespace, name) = ArgoTracking.application(tracking, label, options.argoNamespace)
        else { return }
        let title = "the Argo CD Application \(namespace)/\(name)"
        let kind = try await cluster.kind(.argoApplication)
        let reference = kind.map { ObjectReference($0, namespace: namespace, name: name) }
        guard let reference, let application = try await one(reference, &found) else {
            if tracking != nil { found.obstacles.append(elsewhere(title)) }
            return
        }
        guard tracking != nil || ArgoTracking.lists(application, workload.reference) else { return }
        found.pauses.append(
            try Pause(
                application, reference, title: title, effect: "syncs it and would bring it back",
                settings: [Pause.annotation("argocd.argoproj.io/skip-reconcile", "true")]))
    }

    private func elsewhere(_ title: String) -> String {
        "\(workload.reference) is managed by \(title), which is not in this cluster and may bring it back: pause that "
            + "where it is and set gitOps: ignore"
    }
}

/// What Argo CD writes into objects (its documentation, “Resource Tracking”).
enum ArgoTracking {
    static func application(
        _ tracking: String?, _ label: String?, _ argoNamespace: String
    ) -> (namespace: String, name: String)? {
        guard let text = tracking.map({ String($0.prefix { $0 != ":" }) }) ?? label, !text.isEmpty else { return nil }
        // Names of objects have no underscore.
        let parts = text.split(separator: "_", maxSplits: 1).map(String.init)
        return parts.count == 2 ? (parts[0], parts[1]) : (argoNamespace, text)
    }

    /// Whether the Application's status names the workload; one without a status has not synced anything yet.
    static func lists(_ application: JSONValue, _ workload: WorkloadReference) -> Bool {
        (application[path: "status", "resources"]?.array ?? []).contains {
            $0["kind"]?.string == workload.kind.rawValue && $0["name"]?.string == workload.name
                && $0["namespace"]?.string == workload.namespace
        }
    }
}
