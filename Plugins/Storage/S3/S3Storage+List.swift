import DurableFiles
public import FleetPluginAPI
import HTTPClient

extension S3Storage {
    public func list(_ prefix: String, after cursor: String?, limit: Int) async throws -> StoredPage {
        try await perform("list \(prefix)") {
            try StorageKey.check(prefix: prefix)
            let limit = max(1, min(limit, 1_000_000))
            if try await capabilities().listsInOrder, let page = try await ordered(prefix, cursor, limit) {
                return page
            }
            return try await sorted(prefix, cursor, limit)
        }
    }

    /// A page as the server sorts it; nil when it turns out not to sort by the keys' bytes.
    private func ordered(_ prefix: String, _ cursor: String?, _ limit: Int) async throws -> StoredPage? {
        var objects: [StoredObject] = []
        var last = cursor
        var token: String?
        repeat {
            let page = try await page(prefix, after: cursor, token, limit: limit + 1 - objects.count)
            for object in page.objects {
                if let last, !precedes(last, object.key) { return nil }
                last = object.key
                objects.append(object)
            }
            token = page.continuation
        } while token != nil && objects.count <= limit
        return cut(objects, limit)
    }

    /// A page of a list that is read to its end: for servers that walk directories, where `a/b` comes before `a-b`.
    /// Keeps no more than a page in memory.
    private func sorted(_ prefix: String, _ cursor: String?, _ limit: Int) async throws -> StoredPage {
        var smallest = SmallestElements<StoredObject>(limit: limit + 1) { precedes($0.key, $1.key) }
        var token: String?
        repeat {
            let page = try await page(prefix, after: nil, token, limit: 1000)
            for object in page.objects where cursor.map({ precedes($0, object.key) }) ?? true {
                smallest.insert(object)
            }
            token = page.continuation
        } while token != nil
        return cut(smallest.sorted(), limit)
    }

    private func cut(_ objects: [StoredObject], _ limit: Int) -> StoredPage {
        guard objects.count > limit else { return StoredPage(objects: objects, next: nil) }
        let page = Array(objects.prefix(limit))
        return StoredPage(objects: page, next: page.last?.key)
    }

    /// One answer of the server, with keys as the storage has them; whatever is no key of a storage is left out.
    private func page(
        _ prefix: String, after cursor: String?, _ token: String?, limit: Int
    ) async throws -> ObjectPage {
        var page = try await bucketPage(
            settings.prefix + prefix, after: cursor.map { settings.prefix + $0 }, token, limit: limit)
        page.objects = try page.objects.compactMap { object in
            guard object.key.utf8.starts(with: settings.prefix.utf8) else {
                throw Answer.malformed("the server lists what was not asked for")
            }
            var object = object
            object.key = String(decoding: object.key.utf8.dropFirst(settings.prefix.utf8.count), as: UTF8.self)
            return (try? StorageKey.check(object.key)) == nil ? nil : object
        }
        return page
    }

    /// - Parameter cursor: counts without a `token`.
    func bucketPage(
        _ prefix: String, after cursor: String?, _ token: String?, limit: Int
    ) async throws -> ObjectPage {
        var call = S3Call(.get, nil, query: [("list-type", "2"), ("encoding-type", "url")])
        if !prefix.isEmpty { call.query.append(("prefix", prefix)) }
        call.query.append(("max-keys", String(min(1000, limit))))
        if let token {
            call.query.append(("continuation-token", token))
        } else if let cursor {
            call.query.append(("start-after", cursor))
        }
        let answer = try await client.perform(call)
        let page = try ObjectPage(answer.body)
        guard page.continuation == nil || page.continuation != token else {
            throw Answer.malformed("the server's list goes round in a circle")
        }
        return page
    }

    private func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
