public import FleetPluginAPI
import KubernetesClient

/// Where an API server and its credentials are described.
public struct KubernetesLogin: Hashable, Sendable {
    /// Absolute; nil: the pod's service account where there is one, else `$KUBECONFIG` or `~/.kube/config`.
    public var kubeconfig: String?
    /// Nil: the current one.
    public var context: String?

    public init(kubeconfig: String? = nil, context: String? = nil) {
        self.kubeconfig = kubeconfig
        self.context = context
    }

    /// From a plugin's options `kubeconfig` and `context`; what they leave out, its cluster's platform says.
    public init(_ options: PluginOptions, in cluster: ClusterContext?) {
        let inherited = cluster?.platform
        kubeconfig = options.string("kubeconfig") ?? inherited?.string("kubeconfig")
        // Another file has other contexts.
        let isOwnFile = options.string("kubeconfig") != nil
        context = options.string("context") ?? (isOwnFile ? nil : inherited?.string("context"))
    }

    func configuration() async throws -> KubernetesConfiguration {
        if kubeconfig == nil, context == nil, KubernetesConfiguration.isInCluster {
            return try await .inCluster()
        }
        return try await .load(files: kubeconfig.map { [$0] }, context: context)
    }
}
