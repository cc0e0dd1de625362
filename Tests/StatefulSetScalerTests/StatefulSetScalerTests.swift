import StatefulSetScaler
import FleetPluginAPI
import FleetTestSupport
import KubernetesWorkloads
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct StatefulSetScalerTests {
    @Test(arguments: ScalerConformance.rules, BenchCluster.Name.allCases)
    func conforms(_ rule: ScalerConformance.Rule, on cluster: BenchCluster.Name) async throws {
        try await withNamespace("scalers", on: cluster) { namespace in
            try await namespace.apply(
                """
                apiVersion: apps/v1
                kind: StatefulSet
                metadata: {name: web}
                spec:
                  replicas: 2
                  serviceName: web
                  selector: {matchExpressions: [{key: app, operator: In, values: [web]}]}
                  template:
                    metadata: {labels: {app: web}}
                    spec:
                      automountServiceAccountToken: false
                      terminationGracePeriodSeconds: 1
                      containers:
                      - name: web
                        image: \(namespace.bench.postgresImage)
                        imagePullPolicy: Never
                        command: [sh, -c, "trap 'exit 0' TERM; sleep 3600 & wait"]
                """)
            try await namespace.waitForRollout("statefulset/web")
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
            try await rule.check(ScalerConformance(count: 2) { try StatefulSetScaler.make(context, options) })
        }
    }
}
