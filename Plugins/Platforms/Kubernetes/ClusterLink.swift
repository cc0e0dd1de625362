import FleetPluginAPI
import KubernetesClient
import KubernetesWorkloads

/// The way to one cluster, and what was found out through it.
actor ClusterLink {
    nonisolated let login: KubernetesLogin
    private var answers: [String: String] = [:]

    init(_ settings: ClusterSettings) {
        login = KubernetesLogin(kubeconfig: settings.kubeconfig, context: settings.context)
    }

    /// One for all plugins of the process that go to this cluster.
    ///
    /// - Throws: `configuration`, `denied`, `refused`.
    nonisolated func client() async throws -> KubernetesClient {
        try await KubernetesClusters.shared.cluster(login).client
    }

    /// What was answered before under this key, else what `ask` answers now. No answer is not remembered.
    func remembered(_ key: String, _ ask: @Sendable () async throws -> String?) async throws -> String? {
        if let known = answers[key] { return known }
        let answer = try await ask()
        if let answer { answers[key] = answer }
        return answer
    }
}
