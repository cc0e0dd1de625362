import FleetPluginAPI
import FleetTestSupport
import KubernetesClient
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct WatchTests {
    @Test func aWatchTellsWhatIsThereAndWhatChanges() async throws {
        try await withClient { client, space in
            try await client.create(
                configMap("old", labels: ["app": "x"]), kind: .configMaps, namespace: space.name)
            var events = client.watch(.configMaps, namespace: space.name, labels: "app=x").makeAsyncIterator()
            guard case .synced(let first) = try await events.next() else { throw FixtureError("no list") }
            #expect(first.map(\.objectName) == ["old"])
            try await client.create(
                configMap("new", labels: ["app": "x"]), kind: .configMaps, namespace: space.name)
            try await client.create(configMap("unwatched"), kind: .configMaps, namespace: space.name)
            let new = ObjectReference(.configMaps, namespace: space.name, name: "new")
            try await client.patch(new, .merge(["data": ["k": "v"]]))
            try await client.delete(new)
            var seen: [String] = []
            while seen.count < 3, let event = try await events.next() {
                switch event {
                case .added(let object): seen.append("added \(object.objectName ?? "")")
                case .modified(let object): seen.append("modified \(object["data"]?["k"]?.string ?? "")")
                case .deleted(let object): seen.append("deleted \(object.objectName ?? "")")
                case .synced: seen.append("synced")
                }
            }
            #expect(seen == ["added new", "modified v", "deleted new"])
        }
    }

    @Test func waitingEndsWithTheConditionOrTheDeadline() async throws {
        try await withClient { client, space in
            let reference = ObjectReference(.configMaps, namespace: space.name, name: "a")
            async let appeared = client.wait(reference, deadline: .seconds(30)) { $0?["data"]?["k"] == "2" }
            try await client.create(configMap("a", ["k": "1"]), kind: .configMaps, namespace: space.name)
            try await client.patch(reference, .merge(["data": ["k": "2"]]))
            #expect(try await appeared?["data"] == ["k": "2"])
            async let gone = client.wait(reference, deadline: .seconds(30)) { $0 == nil }
            try await client.delete(reference)
            #expect(try await gone == nil)
            let late = await failure {
                try await client.wait(reference, deadline: .milliseconds(300)) { $0 != nil }
            }
            #expect(late?.code == .timedOut && late?.message.contains("configmaps \(space.name)/a") == true)
        }
    }

    @Test func aTaskThatIsCancelledStopsWatching() async throws {
        try await withClient { client, space in
            let task = Task { for try await _ in client.watch(.pods, namespace: space.name) {} }
            try await Task.sleep(for: .milliseconds(300))
            task.cancel()
            let ended = ContinuousClock.now
            _ = await task.result
            #expect(ended.duration(to: .now) < .seconds(5))
        }
    }
}
