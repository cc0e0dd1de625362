import FleetPluginAPI
import Testing

@testable import KubernetesWorkloads

@Suite struct KubernetesLoginTests {
    private static let cluster = ClusterContext(
        name: "prod", plugin: "kubernetes", platform: PluginOptions(["kubeconfig": "/etc/kube", "context": "prod"]))

    /// How a cluster is reached is said once, and an application may say otherwise.
    @Test func whatAnApplicationLeavesOutItsClusterSays() {
        func login(_ options: [String: JSONValue], in cluster: ClusterContext? = Self.cluster) -> KubernetesLogin {
            KubernetesLogin(PluginOptions(options), in: cluster)
        }
        #expect(login([:]) == KubernetesLogin(kubeconfig: "/etc/kube", context: "prod"))
        #expect(login(["context": "other"]) == KubernetesLogin(kubeconfig: "/etc/kube", context: "other"))
        // Another file has other contexts.
        #expect(login(["kubeconfig": "/my/kube"]) == KubernetesLogin(kubeconfig: "/my/kube"))
        #expect(login([:], in: nil) == KubernetesLogin())
    }

    @Test func aFileThatIsMissingIsNamed() async throws {
        let clusters = KubernetesClusters()
        let error = await #expect(throws: FleetError.self) {
            try await clusters.cluster(KubernetesLogin(kubeconfig: "/nowhere/kubeconfig"))
        }
        #expect(error?.description.contains("/nowhere/kubeconfig") == true)
    }
}
