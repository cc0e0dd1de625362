import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials

@testable import KubernetesPlatform

/// A StatefulSet in a namespace of a test's own, and platforms as a coordinator makes them.
struct PlatformFixture {
    static let secret = "k3y-that-nobody-may-see"

    let namespace: BenchNamespace
    let agentImage: String
    var instance: Instance

    var bench: KubernetesBench { namespace.bench }

    /// - Parameter change: of the manifest, before it is applied.
    static func lend<Result>(
        _ change: (inout PostgresWorkload) -> Void = { _ in }, _ body: (PlatformFixture) async throws -> Result
    ) async throws -> Result {
        try await withNamespace("platform") { namespace in
            let image = try await namespace.bench.agentImage()
            var manifest = PostgresWorkload(bench: namespace.bench)
            manifest.gracePeriod = 10
            change(&manifest)
            try await namespace.apply(manifest.manifest)
            try await namespace.waitForRollout("statefulset/postgres")
            let instance = Instance(
                name: "orders", cluster: "dev", environment: "dev",
                platform: PluginOptions([
                    "namespace": .string(namespace.name), "workload": "statefulset/postgres",
                    "dataDirectory": "/data/pg", "owner": "postgres",
                ]))
            return try await body(PlatformFixture(namespace: namespace, agentImage: image, instance: instance))
        }
    }

    /// A new object, as in a process that has just been started.
    ///
    /// - Parameter state: the name of the coordinator's state directory: another one is another coordinator.
    func platform(state: String = "state", options: [String: JSONValue] = [:]) throws -> KubernetesPlatform {
        let common: [String: JSONValue] = [
            "kubeconfig": .string(namespace.cluster.kubeconfig), "agentImage": .string(agentImage), "connect": "pod",
        ]
        let context = PluginContext(
            name: "dev", stateDirectory: namespace.scratch.path(state),
            agent: AgentInvocation(executable: "/nowhere", configuration: "/nowhere"),
            resolve: { reference in
                guard reference == .environment("TOKEN") else { throw FleetError(.configuration, "no such secret") }
                return Secret(Self.secret)
            })
        return try KubernetesPlatform(
            context: context, options: PluginOptions(common.merging(options) { $1 }))
    }

    func scale(_ replicas: Int) async throws {
        try await namespace.kubectl("scale", "statefulset/postgres", "--replicas", "\(replicas)")
        if replicas == 0 {
            try await namespace.waitUntil("the pods are gone") { try await namespace.podNames("app=postgres").isEmpty }
        } else {
            try await namespace.waitForRollout("statefulset/postgres")
        }
    }

    func canConnect(_ endpoint: Endpoint) async throws -> Bool {
        let installation = try await PostgresInstallation.standard()
        let tool = try await runTool([
            installation.program("pg_isready"), "-q", "-h", endpoint.host, "-p", "\(endpoint.port)", "-t", "5",
        ])
        return tool.exitCode == 0
    }

    func task(_ key: String, _ script: String, deadline: Duration? = nil) -> TaskSpec {
        TaskSpec(key: key, purpose: key, argv: ["/bin/sh", "-c", script], volume: .nothing, deadline: deadline)
    }

    func finish(_ key: String, _ platform: KubernetesPlatform) async throws -> TaskOutcome {
        let end = ContinuousClock.now + .seconds(90)
        while ContinuousClock.now < end {
            switch try await platform.observeTask(key, of: instance) {
            case .finished(let outcome): return outcome
            case .running: try await Task.sleep(for: .milliseconds(100))
            case let other: throw FixtureError("the task \(key) is \(other)")
            }
        }
        throw FixtureError("the task \(key) does not end\n\(try await namespace.state())")
    }
}
