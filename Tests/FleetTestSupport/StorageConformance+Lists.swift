import FleetPluginAPI

extension StorageConformance {
    /// Keys whose order by bytes is not the order of a walk over directories.
    private static let trickyKeys = [
        "a", "a-b", "a.b", "a/b", "a/b-c", "a/b.c/d", "a/b/c", "a/b/c/d", "a0", "aa/b", "b/x", "b/x.y/z", "b/x/z",
        "é/z", "z",
    ]

    /// Of these, those that a file system can hold together: no key is also a directory.
    private static var keys: [String] {
        trickyKeys.filter { key in !trickyKeys.contains { $0.utf8.starts(with: (key + "/").utf8) } }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func fill(_ storage: any Storage, _ keys: [String]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in keys { group.addTask { try await storage.put(key, Array(key.utf8), condition: .any) } }
            try await group.waitForAll()
        }
    }

    static func sortedLists(_ storage: any Storage) async throws {
        try await fill(storage, keys.shuffled())
        let found = try await storage.listAll("")
        try expect(found.map(\.key) == keys, "listed \(found.map(\.key))")
        try expect(found.allSatisfy { $0.size == Int64($0.key.utf8.count) }, "a listed size is wrong")
    }

    static func prefixes(_ storage: any Storage) async throws {
        try await fill(storage, keys)
        for prefix in ["a", "a/", "a/b", "a/b/", "a/b/c", "a/b/c/", "b/x", "b/x/", "b/x.", "é", "q", "z", "zz"] {
            let expected = keys.filter { $0.utf8.starts(with: prefix.utf8) }
            let found = try await storage.listAll(prefix).map(\.key)
            try expect(found == expected, "under \(prefix): \(found), not \(expected)")
        }
    }

    static func pages(_ storage: any Storage) async throws {
        try await fill(storage, keys)
        for prefix in ["", "a/", "b"] {
            let expected = keys.filter { $0.utf8.starts(with: prefix.utf8) }
            for limit in 1...(keys.count + 1) {
                var found: [String] = []
                var cursor: String?
                repeat {
                    let page = try await storage.list(prefix, after: cursor, limit: limit)
                    try expect(page.objects.count <= limit, "a page of \(limit) has \(page.objects.count) objects")
                    found += page.objects.map(\.key)
                    cursor = page.next
                } while cursor != nil && found.count <= keys.count
                try expect(found == expected, "pages of \(limit) under '\(prefix)': \(found)")
            }
        }
        // Any key may be a cursor, also one that does not exist.
        for cursor in ["", "a/b-", "a/b0", "b", "zz"] where !cursor.isEmpty {
            let found = try await storage.list("", after: cursor, limit: 100).objects.map(\.key)
            let expected = keys.filter { cursor.utf8.lexicographicallyPrecedes($0.utf8) }
            try expect(found == expected, "after \(cursor): \(found)")
        }
    }

    static func changingPages(_ storage: any Storage) async throws {
        let before = (0..<40).map { "d/\($0 + 100)" }
        try await fill(storage, before)
        var page = try await storage.list("d/", after: nil, limit: 10)
        var found = page.objects.map(\.key)
        try await storage.delete(before[9])
        try await storage.delete(before[15])
        try await storage.put("d/1000", [1], condition: .any)
        while let cursor = page.next {
            page = try await storage.list("d/", after: cursor, limit: 10)
            found += page.objects.map(\.key)
        }
        try expect(found == before.filter { $0 != before[15] }, "listed \(found)")
    }
}
