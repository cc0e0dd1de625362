import FleetPluginAPI
import KubernetesClient
import Testing

@Suite(.enabled(if: Bench.isUp, "the Kubernetes bench is not up"))
struct ObjectTests {
    private func configMap(_ name: String, _ data: JSONValue = [:], _ labels: JSONValue = [:]) -> JSONValue {
        ["metadata": ["name": .string(name), "labels": labels], "data": data]
    }

    private func code(_ body: () async throws -> Void) async -> FleetError.Code? {
        await #expect(throws: FleetError.self) { try await body() }?.code
    }

    @Test func objectsAreCreatedReadChangedAndDeleted() async throws {
        try await Bench.withNamespace { client, namespace in
            let reference = ObjectReference(.configMaps, namespace: namespace, name: "a")
            #expect(try await client.find(reference) == nil)
            #expect(await code { _ = try await client.get(reference) } == .notFound)
            let made = try await client.create(configMap("a", ["k": "1"]), kind: .configMaps, namespace: namespace)
            #expect(made["kind"]?.string == "ConfigMap" && made.objectUID != nil)
            #expect(
                await code { try await client.create(configMap("a"), kind: .configMaps, namespace: namespace) }
                    == .alreadyExists)
            var read = try await client.get(reference)
            #expect(read == made)
            read = try await client.patch(reference, .merge(["data": ["k": .null, "l": "2"]]))
            #expect(read["data"] == ["l": "2"])
            #expect(await code { try await client.replace(made, at: reference) } == .conflict)
            #expect(await code { try await client.delete(reference, uid: "other") } == .conflict)
            try await client.delete(reference, uid: made.objectUID)
            try await client.delete(reference)
            #expect(try await client.find(reference) == nil)
        }
    }

    @Test func aJSONPatchIsAllOrNothing() async throws {
        try await Bench.withNamespace { client, namespace in
            let reference = ObjectReference(.configMaps, namespace: namespace, name: "a")
            let made = try await client.create(configMap("a", ["n": "3"]), kind: .configMaps, namespace: namespace)
            let note = JSONPatchOperation.pointer("metadata", "annotations")
            let change: [JSONPatchOperation] = [
                .test("/data/n", "3"), .add(note, ["fleet/run": "x"]), .replace("/data/n", "0"),
            ]
            let changed = try await client.patch(reference, .json(change))
            #expect(changed["data"] == ["n": "0"] && changed.annotations == ["fleet/run": "x"])
            #expect(await code { try await client.patch(reference, .json(change)) } == .conflict)
            #expect(
                await code {
                    try await client.patch(
                        reference, .json([.test("/metadata/uid", "other"), .remove("/data/n")]))
                } == .conflict)
            #expect(try await client.get(reference) == changed)
            let key = JSONPatchOperation.pointer("metadata", "annotations", "fleet/run")
            let cleared = try await client.patch(reference, .json([.test(key, "x"), .remove(key)]))
            #expect(cleared.annotations.isEmpty && cleared.objectUID == made.objectUID)
        }
    }

    @Test func listsComeInPagesAndWhole() async throws {
        try await Bench.withNamespace { client, namespace in
            for index in 0..<7 {
                let labels: JSONValue = ["odd": .string(index.isMultiple(of: 2) ? "no" : "yes")]
                try await client.create(configMap("c\(index)", [:], labels), kind: .configMaps, namespace: namespace)
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
}
