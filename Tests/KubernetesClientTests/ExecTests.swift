import FleetPluginAPI
import FleetTestSupport
import HTTPClient
import KubernetesClient
import Synchronization
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct ExecTests {
    private func withPod(_ body: (KubernetesClient, String, String) async throws -> Void) async throws {
        try await withClient { client, space in
            try await space.apply(Manifest.web(replicas: 1, bench: space.bench))
            try await space.waitForRollout("deployment/web")
            let pods = try await client.list(.pods, namespace: space.name, labels: "app=web")
            try await body(client, space.name, try #require(pods.items.first?.objectName))
        }
    }

    @Test func programsRunInPods() async throws {
        try await withPod { client, namespace, pod in
            let result = try await client.run(
                pod: pod, namespace: namespace, command: ["sh", "-c", "echo out; echo err >&2; exit 3"],
                deadline: .seconds(30))
            #expect(result.status == 3 && result.outputText == "out\n" && result.errorText == "err\n")
            let fine = try await client.run(
                pod: pod, namespace: namespace, container: "web", command: ["printf", "%s", "a b&c=d%20"],
                deadline: .seconds(30))
            #expect(fine.status == 0 && fine.outputText == "a b&c=d%20")
            let missing = await failure {
                _ = try await client.run(
                    pod: pod, namespace: namespace, command: ["/no/such/program"], deadline: .seconds(30))
            }
            #expect(missing?.code == .failed)
            let absent = await failure {
                _ = try await client.run(
                    pod: "absent", namespace: namespace, command: ["true"], deadline: .seconds(30))
            }
            #expect(absent?.code == .notFound)
            let late = await failure {
                _ = try await client.run(
                    pod: pod, namespace: namespace, command: ["sleep", "60"], deadline: .milliseconds(700))
            }
            #expect(late?.code == .timedOut)
        }
    }

    @Test func inputReachesProgramsAndEnds() async throws {
        try await withPod { client, namespace, pod in
            let upper = try await client.run(
                pod: pod, namespace: namespace, command: ["tr", "a-z", "A-Z"], input: Array("input".utf8),
                deadline: .seconds(30))
            #expect(upper.status == 0 && upper.outputText == "INPUT")
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            let echoed = try await client.run(
                pod: pod, namespace: namespace, command: ["sh", "-c", "cat; exit 7"], input: bytes,
                deadline: .seconds(60))
            #expect(echoed.status == 7 && echoed.output == bytes)
        }
    }

    @Test func aProgramMayLeaveInputUnread() async throws {
        try await withPod { client, namespace, pod in
            let bytes = [UInt8](repeating: 65, count: 3_000_000)
            // Often: what goes wrong here goes wrong once in twenty times.
            for _ in 0..<20 {
                let head = try await client.run(
                    pod: pod, namespace: namespace, command: ["head", "-c", "3"], input: bytes, deadline: .seconds(60))
                #expect(head.outputText == "AAA" && head.status == 0)
            }
        }
    }

    @Test func manyBytesComeOutInOrder() async throws {
        try await withPod { client, namespace, pod in
            let seen = Mutex((count: 0, sum: 0))
            let code = try await client.exec(
                pod: pod, namespace: namespace, command: ["sh", "-c", "seq 1 1000000"], deadline: .seconds(60)
            ) { _, bytes in
                seen.withLock { seen in
                    for byte in bytes {
                        seen.count += 1
                        seen.sum = seen.sum &* 31 &+ Int(byte)
                    }
                }
            }
            let expected = (1...1_000_000).reduce(into: (count: 0, sum: 0)) { seen, number in
                for byte in "\(number)\n".utf8 {
                    seen.count += 1
                    seen.sum = seen.sum &* 31 &+ Int(byte)
                }
            }
            #expect(code == 0)
            #expect(seen.withLock { $0 } == expected)
        }
    }

    @Test func portsAreForwarded() async throws {
        try await withPod { client, namespace, pod in
            let forward = try await client.forward(pod: pod, namespace: namespace, port: 8080)
            let session = HTTPSession(HTTPSession.Options(usesProxyEnvironment: false))
            let url = "http://127.0.0.1:\(forward.localPort)/"
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 { group.addTask { try await session.fetch(HTTPRequest(.get, url)).text } }
                for try await text in group { #expect(text == "\(pod)\n") }
            }
            #expect(forward.lastFailure == nil)
            let wrong = try await client.forward(pod: pod, namespace: namespace, port: 8081)
            let refused = await failure {
                _ = try await session.fetch(HTTPRequest(.get, "http://127.0.0.1:\(wrong.localPort)/"))
            }
            #expect(refused?.code == .unavailable && wrong.lastFailure != nil)
            await wrong.close()
            await forward.close()
            let closed = await failure { _ = try await session.fetch(HTTPRequest(.get, url)) }
            #expect(closed?.code == .unavailable)
        }
    }
}
