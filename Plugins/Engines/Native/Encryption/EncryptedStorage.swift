import FleetPluginAPI
import Synchronization

/// A storage whose objects are encrypted on their way in and decrypted on their way out. Sizes are those of the content.
final class EncryptedStorage: Storage {
    private let base: any Storage
    private let cipher: RepositoryCipher
    /// Of objects that are read in parts, so that each part is one request.
    private let openers = Mutex<[String: ObjectOpener]>([:])
    private static let openersKept = 256

    init(_ base: any Storage, _ cipher: RepositoryCipher) {
        self.base = base
        self.cipher = cipher
    }

    var features: StorageFeatures { base.features }

    func prepare() async throws { try await base.prepare() }

    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
        let sealed = try await Workers.run { [cipher] in try cipher.seal(bytes, as: key) }
        // What is known of the one that is replaced is of no more use.
        defer { openers.withLock { $0[key] = nil } }
        try await base.put(key, sealed, condition: condition)
    }

    func get(_ key: String, range: Range<Int64>?) async throws -> [UInt8] {
        guard let range else {
            let bytes = try await base.get(key, range: nil)
            return try await Workers.run { [cipher] in try cipher.open(bytes, as: key) }
        }
        let segments = RepositoryCipher.segments(covering: range)
        let place = RepositoryCipher.place(of: segments)
        let header = Int64(RepositoryCipher.headerSize)
        let known = openers.withLock { $0[key] }
        let bytes: [UInt8]
        let opener: ObjectOpener
        if let known {
            opener = known
            bytes = try await base.get(key, range: place)
        } else if segments.lowerBound == 0 {
            let read = try await base.get(key, range: 0..<place.upperBound)
            opener = try ObjectOpener(cipher, header: read, key)
            bytes = Array(read.dropFirst(Int(header)))
        } else {
            opener = try ObjectOpener(cipher, header: try await base.get(key, range: 0..<header), key)
            bytes = try await base.get(key, range: place)
        }
        keep(opener, key)
        // Behind its end.
        if bytes.isEmpty, segments.lowerBound > 0 { return [] }
        return try await Workers.run {
            let content = try opener.open(
                bytes[...], from: segments.lowerBound, isWhole: bytes.count < place.count)
            let skipped = Int(range.lowerBound) - segments.lowerBound * RepositoryCipher.segmentSize
            return Array(content.dropFirst(skipped).prefix(range.count))
        }
    }

    func head(_ key: String) async throws -> StoredObject? {
        try await base.head(key).map(Self.content)
    }

    func list(_ prefix: String, after cursor: String?, limit: Int) async throws -> StoredPage {
        let page = try await base.list(prefix, after: cursor, limit: limit)
        return StoredPage(objects: page.objects.map(Self.content), next: page.next)
    }

    func delete(_ key: String) async throws {
        openers.withLock { $0[key] = nil }
        try await base.delete(key)
    }

    func usage() async throws -> StorageUsage { try await base.usage() }

    private func keep(_ opener: ObjectOpener, _ key: String) {
        openers.withLock { openers in
            if openers.count >= Self.openersKept { openers.removeAll(keepingCapacity: true) }
            openers[key] = opener
        }
    }

    private static func content(_ object: StoredObject) -> StoredObject {
        var object = object
        object.size = RepositoryCipher.size(ofStored: object.size)
        return object
    }
}
