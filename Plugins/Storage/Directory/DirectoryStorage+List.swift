import DurableFiles
public import FleetPluginAPI

extension DirectoryStorage {
    public func list(_ prefix: String, after cursor: String?, limit: Int) async throws -> StoredPage {
        try await perform("list \(prefix)") {
            try StorageKey.check(prefix: prefix)
            try checkRoot()
            var walk = Walk(root: root, prefix: Array(prefix.utf8), cursor: cursor.map { Array($0.utf8) }, limit: limit)
            // A whole directory below which every key lies: nothing above it is read.
            let directory = prefix.utf8.lastIndex(of: UInt8(ascii: "/")).map { prefix[...$0] } ?? ""
            do {
                try walk.visit(String(directory))
            } catch let error as FleetError where error.code == .notFound {
                try checkRoot()
            }
            return walk.page
        }
    }
}

/// A walk over the files below a directory in the order of their keys, which is not the order of names: `a-b` comes
/// before `a/b`. Keeps no more than a page in memory.
private struct Walk {
    let root: String
    let prefix: [UInt8]
    let cursor: [UInt8]?
    let limit: Int
    private var objects: [StoredObject] = []

    init(root: String, prefix: [UInt8], cursor: [UInt8]?, limit: Int) {
        self.root = root
        self.prefix = prefix
        self.cursor = cursor
        self.limit = max(1, limit)
    }

    var page: StoredPage {
        guard objects.count > limit else { return StoredPage(objects: objects, next: nil) }
        let page = Array(objects.prefix(limit))
        return StoredPage(objects: page, next: page.last?.key)
    }

    private struct Item {
        var entry: DirectoryEntry
        /// The key, with a slash at its end for a directory: sorts a directory where its keys are.
        var sortKey: [UInt8]
    }

    /// - Parameter directory: empty, or a part of a key with a slash at its end.
    mutating func visit(_ directory: String) throws {
        var last: [UInt8]?
        while objects.count <= limit {
            let items = try items(of: directory, after: last)
            guard let final = items.last else { return }
            for item in items {
                guard objects.count <= limit else { return }
                if item.entry.kind == .directory {
                    do {
                        try visit("\(directory)\(item.entry.name)/")
                    } catch let error as FleetError where error.code == .notFound {
                        // Removed while it was listed.
                    }
                } else if let status = try BlockingDisk.status("\(root)/\(directory)\(item.entry.name)") {
                    let key = directory + item.entry.name
                    objects.append(StoredObject(key: key, size: status.size, modified: status.modified))
                }
            }
            last = final.sortKey
        }
    }

    private func items(of directory: String, after last: [UInt8]?) throws -> [Item] {
        var smallest = SmallestElements<Item>(limit: limit + 1 - objects.count) {
            $0.sortKey.lexicographicallyPrecedes($1.sortKey)
        }
        let base = Array(directory.utf8)
        try BlockingDisk.forEachEntry(of: "\(root)/\(directory)", followingLinks: directory.isEmpty) { entry in
            guard entry.kind == .file || entry.kind == .directory, entry.name.utf8.first != UInt8(ascii: ".") else {
                return
            }
            let slash = entry.kind == .directory ? [UInt8(ascii: "/")] : []
            let sortKey = base + entry.name.utf8 + slash
            if let last, !last.lexicographicallyPrecedes(sortKey) { return }
            if isWanted(sortKey, entry.kind) { smallest.insert(Item(entry: entry, sortKey: sortKey)) }
        }
        return smallest.sorted()
    }

    private func isWanted(_ sortKey: [UInt8], _ kind: FileKind) -> Bool {
        let isBelowPrefix = sortKey.starts(with: prefix)
        if kind == .directory {
            guard isBelowPrefix || prefix.starts(with: sortKey) else { return false }
            guard let cursor else { return true }
            return cursor.lexicographicallyPrecedes(sortKey) || cursor.starts(with: sortKey)
        }
        return isBelowPrefix && (cursor.map { $0.lexicographicallyPrecedes(sortKey) } ?? true)
    }
}
