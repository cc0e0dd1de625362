import FleetPluginAPI
public import KubernetesClient

/// A cluster as workloads see it: its client, and reads that many share.
public final class KubernetesCluster: Sendable {
    public let client: KubernetesClient
    let reads: SharedReads
    let access: SharedAccess

    public init(_ client: KubernetesClient) {
        self.client = client
        reads = SharedReads(client)
        access = SharedAccess(client)
    }

    /// Who fleet is to this cluster, for messages.
    var account: String { client.configuration.user }

    /// A kind in the version that the server prefers; nil where what brings it along is not installed.
    func kind(_ kind: OptionalKind) async throws -> ResourceKind? {
        try await client.preferredVersion(group: kind.group, plural: kind.plural)
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
