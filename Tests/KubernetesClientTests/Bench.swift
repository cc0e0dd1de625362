import FleetPluginAPI
import FoundationEssentials
import KubernetesClient
import Testing

/// The real API servers that tests run against.
enum Bench {
    static let directory =
        ProcessInfo.processInfo.environment["K8SBENCH_RUN"]
        ?? (ProcessInfo.processInfo.environment["HOME"] ?? "/root") + "/.cache/fleet/kubernetes/run"

    static var isUp: Bool { FileManager.default.fileExists(atPath: "\(directory)/merged.conf") }

    static func client(_ name: String = "dev") async throws -> KubernetesClient {
        try KubernetesClient(try await KubernetesConfiguration.load(files: ["\(directory)/\(name).conf"]))
    }

    /// Lends a namespace of the test's own and removes it.
    static func withNamespace<Result>(
        _ name: String = "dev", _ body: (KubernetesClient, String) async throws -> Result
    ) async throws -> Result {
        let client = try await client(name)
        let namespace = "client-\(UInt32.random(in: .min ... .max))"
        try await client.create(["metadata": ["name": .string(namespace)]], kind: .namespaces)
        do {
            let result = try await body(client, namespace)
            try await client.delete(ObjectReference(.namespaces, name: namespace))
            return result
        } catch {
            try? await client.delete(ObjectReference(.namespaces, name: namespace))
            throw error
        }
    }
}
