import KubernetesClient

/// The clusters that this process talks to, one client each, however many plugins ask.
public actor KubernetesClusters {
    /// All plugins of the process share these.
    public static let shared = KubernetesClusters()

    private var clusters: [KubernetesLogin: Task<KubernetesCluster, any Error>] = [:]

    public init() {}

    /// The cluster behind a login. Its files are read the first time, and again after that has failed.
    ///
    /// - Throws: what `KubernetesConfiguration.load` throws.
    public func cluster(_ login: KubernetesLogin) async throws -> KubernetesCluster {
        if let known = clusters[login] { return try await known.value }
        let making = Task { try KubernetesCluster(KubernetesClient(await login.configuration())) }
        clusters[login] = making
        do {
            return try await making.value
        } catch {
            if clusters[login] == making { clusters[login] = nil }
            throw error
        }
    }
}
