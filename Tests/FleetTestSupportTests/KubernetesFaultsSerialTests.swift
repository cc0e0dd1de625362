import FleetTestSupport
import FoundationEssentials
import Testing

/// Faults of whole clusters, which no other test may be using.
@Suite(.serialized, .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct KubernetesFaultsSerialTests {
    let bench: KubernetesBench

    init() throws {
        bench = try .find()
    }

    private func ask(_ cluster: BenchCluster, timeout: String = "2s") async throws -> ToolResult {
        try await cluster.runKubectl(["get", "nodes", "--request-timeout", timeout])
    }

    @Test func aPausedServerHangsAndAStoppedOneRefuses() async throws {
        let dev = bench.dev
        try await dev.withPaused(.apiserver) {
            #expect(try await ask(dev).exitCode != 0)
            // The other cluster is none the worse.
            #expect(try await ask(bench.prod, timeout: "30s").exitCode == 0)
        }
        try await waitUntil("it answers again") { try await ask(dev, timeout: "10s").exitCode == 0 }
        try await dev.withStopped(.apiserver) {
            let refused = try await ask(dev)
            #expect(refused.exitCode != 0 && refused.errors.contains("refused"))
        }
        #expect(try await ask(dev, timeout: "10s").exitCode == 0)
    }

    @Test func aSlowStoreSlowsTheServer() async throws {
        let dev = bench.dev
        func time() async throws -> Duration {
            let start = ContinuousClock.now
            for _ in 0..<4 { try await dev.kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps") }
            return ContinuousClock.now - start
        }
        let fast = try await time()
        let slow = try await dev.withSlow(.etcd) { try await time() }
        #expect(slow > fast)
        #expect(try await ask(dev, timeout: "10s").exitCode == 0)
    }

    @Test func aStoppedNodeLosesItsContainersAndBringsThemBack() async throws {
        try await withNamespace("bench") { namespace in
            try await namespace.apply(Manifest.web(replicas: 1, bench: bench))
            try await namespace.waitForRollout("deployment/web")
            let pod = try #require(try await namespace.podNames("app=web").first)
            try await namespace.cluster.withStopped(.node) {
                #expect(try await namespace.execInPod(pod, ["true"]).exitCode != 0)
            }
            try await namespace.waitUntil("a container runs in its place", deadline: .seconds(120)) {
                let pods = try await namespace.podNames("app=web")
                guard let pod = pods.last else { return false }
                return try await namespace.execInPod(pod, ["true"]).exitCode == 0
            }
        }
    }
}
