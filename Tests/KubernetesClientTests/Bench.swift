import FleetPluginAPI
import FleetTestSupport
import KubernetesClient
import Testing

/// A namespace of a real cluster, and a client that may do everything there.
func withClient(
    on cluster: BenchCluster.Name = .dev, _ body: (KubernetesClient, BenchNamespace) async throws -> Void
) async throws {
    try await withNamespace("client", on: cluster) { namespace in
        let configuration = try await KubernetesConfiguration.load(files: [namespace.cluster.kubeconfig])
        try await body(try KubernetesClient(configuration), namespace)
    }
}

/// The error that `body` must throw.
func failure(_ body: () async throws -> Void) async -> FleetError? {
    await #expect(throws: FleetError.self) { try await body() }
}

func configMap(_ name: String, _ data: JSONValue = [:], labels: JSONValue = [:]) -> JSONValue {
    ["metadata": ["name": .string(name), "labels": labels], "data": data]
}
