import FleetPluginAPI
import FleetTestSupport
import KubernetesClient
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct LogTests {
    private func pod(_ name: String, _ script: String, _ bench: KubernetesBench) -> JSONValue {
        [
            "metadata": ["name": .string(name)],
            "spec": [
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                "containers": [
                    [
                        "name": "main", "image": .string(bench.postgresImage), "imagePullPolicy": "Never",
                        "command": ["sh", "-c", .string(script)],
                    ]
                ],
            ],
        ]
    }

    /// From before the container starts to after it has ended.
    @Test func aLogIsFollowedFromTheFirstLineToTheLast() async throws {
        try await withClient { client, space in
            let script = """
                i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); [ $((i % 40)) = 0 ] && sleep 0.2; done
                head -c 3000000 /dev/zero | tr '\\0' x; echo; printf 'no line feed'
                """
            try await client.create(pod("p", script, space.bench), kind: .pods, namespace: space.name)
            var lines: [String] = []
            var long = 0
            for try await line in client.logs(
                pod: "p", namespace: space.name, options: LogOptions(follow: true))
            {
                // Old kubelets write a time stamp into the middle of a long line, every 16 KiB.
                let crosses = line.text.utf8.count { $0 == UInt8(ascii: "x") }
                if crosses > 0 { long += crosses } else { lines.append(line.text) }
            }
            #expect(lines == (0..<400).map { "line \($0)" } + ["no line feed"])
            #expect(long == 3_000_000)
            // Again, at once.
            var again: [String] = []
            for try await line in client.logs(
                pod: "p", namespace: space.name, container: "main", options: LogOptions(tailLines: 1))
            {
                again.append(line.text)
            }
            #expect(again == ["no line feed"])
            let missing = await failure {
                for try await _ in client.logs(pod: "absent", namespace: space.name) {}
            }
            #expect(missing?.code == .notFound)
        }
    }
}
