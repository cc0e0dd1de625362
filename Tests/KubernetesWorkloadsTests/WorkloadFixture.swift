import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import KubernetesClient
import KubernetesWorkloads

/// Workloads in a namespace of a test's own, and scalers of them as a coordinator makes them.
struct WorkloadFixture {
    let namespace: BenchNamespace

    static func lend<Result>(
        on cluster: BenchCluster.Name = .dev, _ body: (WorkloadFixture) async throws -> Result
    ) async throws -> Result {
        try await withNamespace("scalers", on: cluster) { try await body(WorkloadFixture(namespace: $0)) }
    }

    /// As in a process that has just been started.
    func scaler(
        _ name: String = "web", _ kind: WorkloadReference.Kind = .deployment,
        options: WorkloadOptions = WorkloadOptions(), kubeconfig: String? = nil
    ) -> KubernetesWorkload {
        KubernetesWorkload(
            WorkloadReference(kind, namespace: namespace.name, name: name),
            login: KubernetesLogin(kubeconfig: kubeconfig ?? namespace.cluster.kubeconfig), options: options,
            clusters: KubernetesClusters())
    }

    /// A Deployment whose copies are there at once and end at once.
    func deploy(
        _ name: String = "web", replicas: Int = 2, labels: [String: String] = [:], annotations: [String: String] = [:]
    ) async throws {
        try await namespace.apply(
            Manifest.web(
                name, replicas: replicas, labels: labels, annotations: annotations, gracePeriod: 1,
                bench: namespace.bench))
        try await namespace.waitForRollout("deployment/\(name)")
    }

    /// Objects without what servers and controllers write into them, and without what only says who wrote.
    func snapshot(_ objects: [String]) async throws -> [String: JSONValue] {
        var all: [String: JSONValue] = [:]
        for object in objects {
            let text = try await namespace.kubectl("get", object, "--output", "json")
            all[object] = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)).withoutBookkeeping
        }
        return all
    }

    func annotations(of object: String) async throws -> String {
        try await namespace.field(".metadata.annotations", of: object)
    }

    /// Definitions of the shape of KEDA's, Argo CD's and Flux's. They stay: other tests may be using them.
    func installDefinitions() async throws {
        let kinds = [
            ("keda.sh", "v1alpha1", "ScaledObject"), ("argoproj.io", "v1alpha1", "Application"),
            ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization"), ("helm.toolkit.fluxcd.io", "v2", "HelmRelease"),
        ]
        for (group, version, kind) in kinds {
            let plural = kind.lowercased() + "s"
            try await namespace.cluster.apply(
                """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: \(plural).\(group)}
                spec:
                  group: \(group)
                  scope: Namespaced
                  names: {kind: \(kind), plural: \(plural), singular: \(kind.lowercased())}
                  versions:
                  - name: \(version)
                    served: true
                    storage: true
                    schema:
                      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
                """)
            try await namespace.cluster.kubectl(
                "wait", "--for=condition=established", "customresourcedefinition/\(plural).\(group)")
        }
    }
}

extension WorkloadFixture {
    static let surroundingOptions = WorkloadOptions(cronJobs: ["nightly", "weekly"])

    /// Deploys it with everything around it that could bring it back, and says what that is.
    func surround() async throws -> [String] {
        try await installDefinitions()
        try await deploy(
            labels: [
                "kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": namespace.name,
                "helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": namespace.name,
            ], annotations: ["argocd.argoproj.io/tracking-id": "\(namespace.name)_shop:apps/Deployment:x/web"])
        try await namespace.apply(
            """
            ---
            {apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: web},
             spec: {scaleTargetRef: {name: web}, minReplicaCount: 1}}
            ---
            {apiVersion: argoproj.io/v1alpha1, kind: Application,
             metadata: {name: shop, annotations: {team: shop}}, spec: {project: default}}
            ---
            {apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: shop},
             spec: {interval: 1m}}
            ---
            {apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: shop},
             spec: {interval: 1m, suspend: true}}
            """)
        try await namespace.apply(Manifest.cronJob("nightly", schedule: "0 3 * * *", bench: namespace.bench))
        try await namespace.apply(
            Manifest.cronJob("weekly", schedule: "0 3 * * 0", suspended: true, bench: namespace.bench))
        try await namespace.apply(Manifest.autoscaler("web", of: "web", minimum: 1, maximum: 4))
        return [
            "deployment/web", "scaledobject/web", "application/shop", "kustomization/shop", "helmrelease/shop",
            "cronjob/nightly", "cronjob/weekly",
            // In autoscaling/v1 its status stands in annotations.
            "horizontalpodautoscalers.v2beta2.autoscaling/web",
        ]
    }
}

extension JSONValue {
    fileprivate var withoutBookkeeping: JSONValue {
        guard case .object(var members) = self else { return self }
        members["status"] = nil
        if case .object(var metadata)? = members["metadata"] {
            for key in ["resourceVersion", "generation", "managedFields"] { metadata[key] = nil }
            members["metadata"] = .object(metadata)
        }
        return .object(members)
    }
}
