/// Objects under keys: what a repository is kept in.
///
/// Four different errors: `notFound`, `alreadyExists`, `denied`, `unavailable`. A storage that cannot be reached is
/// never an empty one. Every implementation passes `StorageConformance`.
public protocol Storage: Sendable {
    var features: StorageFeatures { get }

    /// Makes the place ready for a new repository; safe to repeat.
    func prepare() async throws

    /// Stores an object whole and durably, or not at all: it is not listed before it is complete.
    ///
    /// - Throws: `alreadyExists` when `condition` is `.absent` and the key is taken; the old object is untouched.
    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws

    /// Reads an object, or the bytes of `range` (cut at the object's end).
    ///
    /// - Throws: `notFound`.
    func get(_ key: String, range: Range<Int64>?) async throws -> [UInt8]

    /// Size and time of an object; nil when there is none.
    func head(_ key: String) async throws -> StoredObject?

    /// A page of objects whose keys begin with `prefix`, sorted by key, after `cursor`.
    func list(_ prefix: String, after cursor: String?, limit: Int) async throws -> StoredPage

    /// Removes an object; done as well when there is none.
    func delete(_ key: String) async throws

    /// Bytes used and free, where the storage can tell.
    func usage() async throws -> StorageUsage
}

extension Storage {
    public func get(_ key: String) async throws -> [UInt8] {
        try await get(key, range: nil)
    }

    /// Every object under a prefix.
    public func listAll(_ prefix: String) async throws -> [StoredObject] {
        var objects: [StoredObject] = []
        var cursor: String?
        repeat {
            let page = try await list(prefix, after: cursor, limit: 10_000)
            objects += page.objects
            cursor = page.next
        } while cursor != nil
        return objects
    }
}

public enum PutCondition: Hashable, Sendable, Codable {
    /// Replace what is there.
    case any
    /// Only when the key is free.
    case absent
}

public struct StorageFeatures: Hashable, Sendable, Codable {
    /// `put(condition: .absent)` is decided by the storage, atomically over all writers.
    public var conditionalCreate: Bool
    public var objectLock: Bool
    public var versioning: Bool

    public init(conditionalCreate: Bool, objectLock: Bool = false, versioning: Bool = false) {
        self.conditionalCreate = conditionalCreate
        self.objectLock = objectLock
        self.versioning = versioning
    }
}

public struct StoredObject: Hashable, Sendable, Codable {
    public var key: String
    public var size: Int64
    public var modified: Timestamp

    public init(key: String, size: Int64, modified: Timestamp) {
        self.key = key
        self.size = size
        self.modified = modified
    }
}

public struct StoredPage: Hashable, Sendable, Codable {
    public var objects: [StoredObject]
    /// Where the next page begins; nil after the last.
    public var next: String?

    public init(objects: [StoredObject], next: String?) {
        self.objects = objects
        self.next = next
    }
}

public struct StorageUsage: Hashable, Sendable, Codable {
    /// Bytes free for more objects; nil where there is no limit that can be read.
    public var free: Int64?
    /// Bytes in all; nil likewise.
    public var total: Int64?

    public init(free: Int64?, total: Int64?) {
        self.free = free
        self.total = total
    }
}
