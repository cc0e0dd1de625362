import FleetPluginAPI
import Synchronization

@testable import NativeEngine

/// Objects in memory, to be damaged at will; and a storage that can break at a chosen moment, as a crash would.
final class MemoryStorage: Storage {
    fileprivate struct State {
        var objects: [String: (bytes: [UInt8], modified: Timestamp)] = [:]
        /// Writes that still succeed; nil for all of them.
        var writesLeft: Int?
        /// Reads likewise.
        var readsLeft: Int?
        var isVanished = false
    }

    private let state = Mutex(State())
    let features = StorageFeatures(conditionalCreate: true)

    func prepare() async throws { try state.withLock { try $0.check() } }

    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
        try state.withLock { state in
            try state.countWrite()
            if condition == .absent, state.objects[key] != nil { throw FleetError(.alreadyExists, "\(key) exists") }
            state.objects[key] = (bytes, Self.now)
        }
    }

    func get(_ key: String, range: Range<Int64>?) async throws -> [UInt8] {
        try state.withLock { state in
            try state.countRead()
            guard let bytes = state.objects[key]?.bytes else { throw FleetError(.notFound, "there is no \(key)") }
            guard let range else { return bytes }
            return Array(bytes[min(Int(range.lowerBound), bytes.count)..<min(Int(range.upperBound), bytes.count)])
        }
    }

    func head(_ key: String) async throws -> StoredObject? {
        try state.withLock { state in
            try state.check()
            return state.objects[key].map { StoredObject(key: key, size: Int64($0.bytes.count), modified: $0.modified) }
        }
    }

    func list(_ prefix: String, after cursor: String?, limit: Int) async throws -> StoredPage {
        try state.withLock { state in
            try state.check()
            let keys = state.objects.keys.filter { $0.hasPrefix(prefix) && $0 > cursor ?? "" }.sorted()
            let page = keys.prefix(limit)
            return StoredPage(
                objects: page.compactMap { key in
                    state.objects[key].map {
                        StoredObject(key: key, size: Int64($0.bytes.count), modified: $0.modified)
                    }
                }, next: keys.count > limit ? page.last : nil)
        }
    }

    func delete(_ key: String) async throws {
        try state.withLock { state in
            try state.countWrite()
            state.objects[key] = nil
        }
    }

    func usage() async throws -> StorageUsage { StorageUsage(free: nil, total: nil) }

    // What tests do to it.

    var keys: [String] { state.withLock { $0.objects.keys.sorted() } }

    subscript(key: String) -> [UInt8]? {
        get { state.withLock { $0.objects[key]?.bytes } }
        set {
            state.withLock { state in
                state.objects[key] = newValue.map { ($0, state.objects[key]?.modified ?? Self.now) }
            }
        }
    }

    /// Lets objects look older.
    func age(_ prefix: String, by duration: Duration) {
        state.withLock { state in
            for (key, object) in state.objects where key.hasPrefix(prefix) {
                state.objects[key] = (object.bytes, object.modified - duration)
            }
        }
    }

    func breakAfter(writes: Int?) { state.withLock { $0.writesLeft = writes } }

    func breakAfter(reads: Int?) { state.withLock { $0.readsLeft = reads } }

    func vanish(_ isVanished: Bool = true) { state.withLock { $0.isVanished = isVanished } }

    func copy() -> MemoryStorage {
        let copy = MemoryStorage()
        let objects = state.withLock { $0.objects }
        copy.state.withLock { $0.objects = objects }
        return copy
    }

    private static var now: Timestamp { .now }
}

extension MemoryStorage.State {
    func check() throws {
        if isVanished || writesLeft == 0 { throw FleetError(.unavailable, "the storage is gone") }
    }

    mutating func countRead() throws {
        try check()
        if readsLeft == 0 { throw FleetError(.unavailable, "the storage is gone") }
        if let left = readsLeft { readsLeft = left - 1 }
    }

    mutating func countWrite() throws {
        try check()
        if let left = writesLeft { writesLeft = left - 1 }
    }
}
