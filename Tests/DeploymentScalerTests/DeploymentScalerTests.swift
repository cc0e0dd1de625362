import DeploymentScaler
import FleetPluginAPI
import FleetTestSupport
import KubernetesWorkloads
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct DeploymentScalerTests {
    @Test(arguments: ScalerConformance.rules, BenchCluster.Name.allCases)
    func conforms(_ rule: ScalerConformance.Rule, on cluster: BenchCluster.Name) async throws {
        try await withNamespace("scalers", on: cluster) { namespace in
            try await namespace.apply(Manifest.web(gracePeriod: 1, bench: namespace.bench))
            try await namespace.waitForRollout("deployment/web")
            let context = PluginContext(
                name: "backend", stateDirectory: namespace.scratch.path,
                agent: AgentInvocation(executable: "/nowhere", configuration: "/nowhere"),
                resolve: { _ in throw FleetError(.configuration, "no secrets here") },
                cluster: ClusterContext(
                    name: cluster.rawValue, plugin: "kubernetes",
                    platform: PluginOptions([
                        "kubeconfig": .string(namespace.bench.mergedKubeconfig), "context": .string(cluster.rawValue),
                    ])))
            let options = PluginOptions(["namespace": .string(namespace.name), "name": "web"])
            try await rule.check(ScalerConformance(count: 2) { try DeploymentScaler.make(context, options) })
        }
    }
}
