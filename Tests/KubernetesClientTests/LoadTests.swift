import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import KubernetesClient
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct LoadTests {
    /// Resident memory in KiB.
    private static var memory: Int {
        get throws {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
            return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
        }
    }

    /// Thousands of requests may be asked for at once; few are on their way, and what waits costs little.
    @Test func twoThousandRequestsAtOnce() async throws {
        try await withClient { client, space in
            let reference = ObjectReference(.configMaps, namespace: space.name, name: "a")
            try await client.create(
                configMap("a", ["k": .string(String(repeating: "x", count: 4000))]), kind: .configMaps,
                namespace: space.name)
            let before = try Self.memory
            let begin = ContinuousClock.now
            let count = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2000 { group.addTask { try await client.get(reference).objectName == "a" ? 1 : 0 } }
                return try await group.reduce(0, +)
            }
            let (time, grown) = (begin.duration(to: .now), try Self.memory - before)
            print("2000 GETs: \(time), \(grown) KiB more")
            #expect(count == 2000)
            #expect(grown < 150_000)
        }
    }
}
