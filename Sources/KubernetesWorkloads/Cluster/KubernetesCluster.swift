import FleetPluginAPI
public import KubernetesClient

/// A cluster as workloads see it: its client, reads that many share, and what it is known to serve.
public final class KubernetesCluster: Sendable {
    public let client: KubernetesClient
    let reads: SharedReads
    private let served = ServedKinds()

    public init(_ client: KubernetesClient) {
        self.client = client
        reads = SharedReads(client)
    }

    /// Who fleet is to this cluster, for messages.
    var account: String { client.configuration.userName }

    /// A kind in the version that the server prefers; nil where what brings it along is not installed.
    ///
    /// What is absent is asked for again, since it may be installed any time.
    func kind(_ kind: OptionalKind) async throws -> ResourceKind? {
        if let known = await served.found[kind] { return known }
        guard
            let version = try await client.preferredVersion(group: kind.group, plural: kind.plural)
        else { return nil }
        let resource = ResourceKind(group: kind.group, version: version, plural: kind.plural, kind: kind.kind)
        await served.remember(kind, resource)
        return resource
    }

    private actor ServedKinds {
        var found: [OptionalKind: ResourceKind] = [:]

        func remember(_ kind: OptionalKind, _ resource: ResourceKind) { found[kind] = resource }
    }
}

/// A kind that not every server has, or not in one version.
enum OptionalKind: String, Hashable, Sendable, CaseIterable {
    case scaledObject = "ScaledObject"
    case argoApplication = "Application"
    case fluxKustomization = "Kustomization"
    case fluxHelmRelease = "HelmRelease"
    /// `batch/v1` since Kubernetes 1.21, `batch/v1beta1` before.
    case cronJob = "CronJob"

    var kind: String { rawValue }

    var group: String {
        switch self {
        case .scaledObject: "keda.sh"
        case .argoApplication: "argoproj.io"
        case .fluxKustomization: "kustomize.toolkit.fluxcd.io"
        case .fluxHelmRelease: "helm.toolkit.fluxcd.io"
        case .cronJob: "batch"
        }
    }

    var plural: String { rawValue.lowercased() + "s" }
}
