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
            let hung = try await ask(dev)
            #expect(hung.exitCode != 0 && !hung.errors.contains("refused"))
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

    @Test func aSlowStoreIsHeldAgainAndAgain() async throws {
        let dev = bench.dev
        let pid = try String(contentsOfFile: "\(bench.directory)/dev/pids/etcd.pid", encoding: .utf8)
            .prefix { !$0.isNewline }
        func isHeld() throws -> Bool {
            try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).contains("State:\tT")
        }
        try await dev.withSlow(.etcd) {
            for _ in 0..<3 {
                try await waitUntil("etcd is held") { try isHeld() }
                try await waitUntil("etcd goes on") { try !isHeld() }
            }
            #expect(try await ask(dev, timeout: "30s").exitCode == 0)
        }
        #expect(try !isHeld())
        #expect(try await ask(dev, timeout: "10s").exitCode == 0)
    }

    @Test func aStoppedNodeLosesItsContainersAndBringsThemBack() async throws {
        try await withNamespace("bench") { namespace in
            try await namespace.apply(Manifest.web(replicas: 1, bench: bench))
            try await namespace.waitForRollout("deployment/web")
            let pod = try #require(try await namespace.podNames("app=web").first)
            try await namespace.cluster.withStopped(.node) {
                let lost = try await namespace.execInPod(pod, ["true"])
                #expect(lost.exitCode != 0)
            }
            try await namespace.waitUntil("a container runs in its place", deadline: .seconds(120)) {
                let pods = try await namespace.podNames("app=web")
                guard let pod = pods.last else { return false }
                return try await namespace.execInPod(pod, ["true"]).exitCode == 0
            }
        }
    }
}
