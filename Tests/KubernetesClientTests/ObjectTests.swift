import FleetPluginAPI
import FleetTestSupport
import KubernetesClient
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct ObjectTests {
    @Test func objectsAreCreatedReadChangedAndDeleted() async throws {
        try await withClient { client, space in
            let namespace = space.name
            let reference = ObjectReference(.configMaps, namespace: namespace, name: "a")
            #expect(try await client.find(reference) == nil)
            #expect(await failure { _ = try await client.get(reference) }?.code == .notFound)
            let made = try await client.create(configMap("a", ["k": "1"]), kind: .configMaps, namespace: namespace)
            #expect(made["kind"]?.string == "ConfigMap" && made.objectUID != nil)
            #expect(
                await failure { try await client.create(configMap("a"), kind: .configMaps, namespace: namespace) }?
                    .code == .alreadyExists)
            var read = try await client.get(reference)
            #expect(read == made)
            read = try await client.patch(reference, .merge(["data": ["k": .null, "l": "2"]]))
            #expect(read["data"] == ["l": "2"])
            #expect(await failure { try await client.replace(made, at: reference) }?.code == .conflict)
            #expect(await failure { try await client.delete(reference, uid: "other") }?.code == .conflict)
            try await client.delete(reference, uid: made.objectUID)
            try await client.delete(reference)
            #expect(try await client.find(reference) == nil)
        }
    }

    @Test func aJSONPatchIsAllOrNothing() async throws {
        try await withClient { client, space in
            let namespace = space.name
            let reference = ObjectReference(.configMaps, namespace: namespace, name: "a")
            let made = try await client.create(configMap("a", ["n": "3"]), kind: .configMaps, namespace: namespace)
            let note = JSONPatchOperation.pointer("metadata", "annotations")
            let change: [JSONPatchOperation] = [
                .test("/data/n", "3"), .add(note, ["fleet/run": "x"]), .replace("/data/n", "0"),
            ]
            let changed = try await client.patch(reference, .json(change))
            #expect(changed["data"] == ["n": "0"] && changed.annotations == ["fleet/run": "x"])
            #expect(await failure { try await client.patch(reference, .json(change)) }?.code == .conflict)
            #expect(
                await failure {
                    try await client.patch(
                        reference, .json([.test("/metadata/uid", "other"), .remove("/data/n")]))
                }?.code == .conflict)
            #expect(try await client.get(reference) == changed)
            let key = JSONPatchOperation.pointer("metadata", "annotations", "fleet/run")
            let cleared = try await client.patch(reference, .json([.test(key, "x"), .remove(key)]))
            #expect(cleared.annotations.isEmpty && cleared.objectUID == made.objectUID)
        }
    }

    @Test func listsComeInPagesAndWhole() async throws {
        try await withClient { client, space in
            let namespace = space.name
            for index in 0..<7 {
                let labels: JSONValue = ["odd": .string(index.isMultiple(of: 2) ? "no" : "yes")]
                try await client.create(configMap("c\(index)", labels: labels), kind: .configMaps, namespace: namespace)
            }
            let all = try await client.list(.configMaps, namespace: namespace, labels: "odd", pageSize: 2)
            #expect(all.items.compactMap(\.objectName) == (0..<7).map { "c\($0)" })
            #expect(all.items.allSatisfy { $0["kind"]?.string == "ConfigMap" && $0["apiVersion"]?.string == "v1" })
            let odd = try await client.list(.configMaps, namespace: namespace, labels: "odd=yes")
            #expect(odd.items.count == 3 && !odd.resourceVersion.isEmpty)
            let one = try await client.list(.configMaps, namespace: namespace, fields: "metadata.name=c4")
            #expect(one.items.count == 1)
        }
    }

    @Test func errorsSayWhatIsMissing() async throws {
        try await withClient { client, space in
            let kind = ResourceKind(
                group: "absent.example", version: "v1", plural: "things", kind: "Thing")
            let unknown = await failure { _ = try await client.list(kind, namespace: space.name) }
            #expect(unknown?.code == .unsupported && unknown?.hint?.contains("things") == true)
            let invalid = await failure {
                try await client.create(
                    ["metadata": ["name": "Not A Name"]], kind: .configMaps, namespace: space.name)
            }
            #expect(invalid?.code == .failed && invalid?.cause?.contains("metadata.name") == true)
            #expect(invalid?.isRetriable == false)
            let secret = await failure {
                try await client.create(
                    ["metadata": ["name": "s"], "data": ["password": "hunter2-is-not-base64!"]], kind: .secrets,
                    namespace: space.name)
            }
            #expect(secret != nil && secret?.description.contains("hunter2") == false)
            try await client.create(
                ["metadata": ["name": "s"], "data": ["password": "aHVudGVyMg=="]], kind: .secrets,
                namespace: space.name)
            let patched = await failure {
                try await client.patch(
                    ObjectReference(.secrets, namespace: space.name, name: "s"),
                    .json([.test("/metadata/name", "s"), .add("/data/other", 3)]))
            }
            #expect(patched?.description.contains("aHVudGVyMg") == false)
        }
    }

    @Test func whatIsAppliedIsOwned() async throws {
        try await withClient { client, space in
            let reference = ObjectReference(.configMaps, namespace: space.name, name: "a")
            func object(_ data: JSONValue) -> JSONValue {
                ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": data]
            }
            try await client.patch(reference, .apply(object(["x": "1", "y": "1"]), manager: "fleet", force: false))
            // What is no longer applied goes.
            let second = try await client.patch(
                reference, .apply(object(["x": "2"]), manager: "fleet", force: false))
            #expect(second["data"] == ["x": "2"])
            let other = await failure {
                try await client.patch(reference, .apply(object(["x": "3"]), manager: "other", force: false))
            }
            #expect(other?.code == .conflict)
            let forced = try await client.patch(reference, .apply(object(["x": "3"]), manager: "other", force: true))
            #expect(forced["data"] == ["x": "3"])
        }
    }
}
