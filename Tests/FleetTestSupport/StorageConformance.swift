public import FleetPluginAPI

/// What every storage must do. A suite runs each case against storages of its own:
/// `@Test(arguments: StorageConformance.cases) func conforms(_ rule: StorageConformance.Rule) …`
public enum StorageConformance {
    public struct Rule: Sendable, CustomStringConvertible {
        public let description: String
        /// - Parameter storage: prepared and empty; nobody else uses it.
        public var check: @Sendable (any Storage) async throws -> Void
    }

    public static let cases: [Rule] = [
        Rule(description: "an object is read as it was stored", check: storedIsRead),
        Rule(description: "a put replaces unless it must not", check: conditionalCreate),
        Rule(description: "of many conditional creates one wins", check: oneWinner),
        Rule(description: "a range is cut at the end", check: ranges),
        Rule(description: "what is missing is not found", check: missing),
        Rule(description: "delete is idempotent", check: deletion),
        Rule(description: "lists are sorted by key bytes", check: sortedLists),
        Rule(description: "prefixes cut anywhere", check: prefixes),
        Rule(description: "pages put together are the list", check: pages),
        Rule(description: "a page stays right while objects come and go", check: changingPages),
        Rule(description: "keys that lead elsewhere are refused", check: hostileKeys),
        Rule(description: "prepare can be repeated", check: repeatedPrepare),
        Rule(description: "concurrent writers of one key leave one whole object", check: wholeObjects),
    ]

    private static func storedIsRead(_ storage: any Storage) async throws {
        for (index, size) in [0, 1, 4096, 3_000_000].enumerated() {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ index) }
            let key = "sizes/\(size)/object name +é~"
            try await storage.put(key, bytes, condition: .any)
            try expect(try await storage.get(key) == bytes, "\(size) bytes are not what was stored")
            let head = try await storage.head(key)
            try expect(
                head?.size == Int64(size) && head?.key == key, "head of \(size) bytes says \(String(describing: head))")
        }
    }

    private static func conditionalCreate(_ storage: any Storage) async throws {
        try await storage.put("a/key", [1], condition: .absent)
        try await expect(.alreadyExists, "a second create") { try await storage.put("a/key", [2], condition: .absent) }
        try expect(try await storage.get("a/key") == [1], "a refused create changed the object")
        try await storage.put("a/key", [3, 3], condition: .any)
        try expect(try await storage.get("a/key") == [3, 3], "a put did not replace the object")
        try await storage.delete("a/key")
        try await storage.put("a/key", [4], condition: .absent)
    }

    private static func oneWinner(_ storage: any Storage) async throws {
        guard storage.features.conditionalCreate else { return }
        let results = await withTaskGroup(of: FleetError.Code?.self) { group in
            for writer in UInt8(0)..<16 {
                group.addTask {
                    do {
                        try await storage.put(
                            "contested", [UInt8](repeating: writer, count: 50_000), condition: .absent)
                        return nil
                    } catch { return FleetError(error, "put").code }
                }
            }
            return await group.reduce(into: [FleetError.Code?]()) { $0.append($1) }
        }
        try expect(results.filter { $0 == nil }.count == 1, "winners and errors: \(results)")
        try expect(results.allSatisfy { $0 == nil || $0 == .alreadyExists }, "winners and errors: \(results)")
        let bytes = try await storage.get("contested")
        try expect(bytes.count == 50_000 && Set(bytes).count == 1, "the object is mixed of several writers' bytes")
    }

    private static func ranges(_ storage: any Storage) async throws {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        try await storage.put("object", bytes, condition: .any)
        for range in [0..<1, 10..<20, 999..<1000, 990..<5000, 0..<1000] {
            let expected = Array(bytes[range.clamped(to: 0..<1000)])
            let found = try await storage.get("object", range: Int64(range.lowerBound)..<Int64(range.upperBound))
            try expect(found == expected, "range \(range) has \(found.count) bytes")
        }
    }

    private static func missing(_ storage: any Storage) async throws {
        try await storage.put("there/object", [1], condition: .any)
        for key in ["missing", "there", "there/missing", "there/object/below", "there/obj"] {
            try await expect(.notFound, "get of \(key)") { _ = try await storage.get(key) }
            try await expect(.notFound, "get of a range of \(key)") { _ = try await storage.get(key, range: 0..<5) }
            try expect(try await storage.head(key) == nil, "head of \(key) found something")
        }
        let page = try await storage.list("nothing/here", after: nil, limit: 10)
        try expect(page.objects.isEmpty && page.next == nil, "a prefix without objects is not an empty page")
    }

    private static func deletion(_ storage: any Storage) async throws {
        try await storage.put("a/b/c", [1], condition: .any)
        try await storage.put("a/b/d", [2], condition: .any)
        try await storage.delete("a/b")
        try await storage.delete("a/b/c")
        try await storage.delete("a/b/c")
        try await storage.delete("never/was")
        try expect(try await storage.listAll("").map(\.key) == ["a/b/d"], "wrong objects are left")
    }

    private static func hostileKeys(_ storage: any Storage) async throws {
        let keys = [
            "", "/", "/etc/passwd", "a//b", "a/", "..", "../x", "a/../../x", "./a", "a/.", "a\0b", "a\nb", "a\u{7f}",
            ".hidden", "a/.name.tmp-0123456789abcdef", "a\\b", String(repeating: "x", count: 201),
            String(repeating: "x/", count: 460) + "x",
        ]
        for key in keys {
            let name = key.debugDescription.prefix(60)
            try await expect(.usage, "put of \(name)") { try await storage.put(key, [1], condition: .any) }
            try await expect(.usage, "get of \(name)") { _ = try await storage.get(key) }
            try await expect(.usage, "delete of \(name)") { try await storage.delete(key) }
            try await expect(.usage, "head of \(name)") { _ = try await storage.head(key) }
        }
        try await expect(.usage, "a prefix that leads up") { _ = try await storage.list("../", after: nil, limit: 1) }
        try expect(try await storage.listAll("").isEmpty, "a refused key left something")
    }

    private static func repeatedPrepare(_ storage: any Storage) async throws {
        try await storage.put("kept", [1], condition: .any)
        try await storage.prepare()
        try expect(try await storage.get("kept") == [1], "prepare changed what is stored")
        let usage = try await storage.usage()
        try expect((usage.free ?? 0) >= 0 && (usage.total ?? .max) >= (usage.free ?? 0), "usage makes no sense")
    }

    private static func wholeObjects(_ storage: any Storage) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in UInt8(1)...8 {
                group.addTask {
                    try await storage.put("one", [UInt8](repeating: writer, count: 200_000), condition: .any)
                }
                group.addTask {
                    guard let object = try? await storage.get("one") else { return }
                    try expect(object.count == 200_000 && Set(object).count == 1, "a part of an object was read")
                }
            }
            try await group.waitForAll()
        }
        try expect(try await storage.listAll("").map(\.key) == ["one"], "concurrent writers left something beside")
    }

    static func expect(_ condition: Bool, _ complaint: @autoclosure () -> String) throws {
        guard condition else { throw FixtureError(complaint()) }
    }

    static func expect(
        _ code: FleetError.Code, _ activity: String, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as FleetError {
            guard error.code == code else {
                throw FixtureError("\(activity): \(code) was expected, not \(error.code): \(error)")
            }
            return
        }
        throw FixtureError("\(activity) succeeded; \(code) was expected")
    }
}
