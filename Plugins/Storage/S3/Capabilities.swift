import FleetPluginAPI
import FoundationEssentials
import HTTPClient
import Synchronization

/// What a server was found to do; kept in the bucket, so that not every process has to find it out.
struct Capabilities: Hashable, Sendable, Codable {
    /// `PUT` with `If-None-Match: *` has one winner.
    var conditionalCreate: Bool
    /// Lists are sorted by the bytes of keys.
    var listsInOrder: Bool
    /// The ETag of an object that was stored in one request is the MD5 of its bytes.
    var etagIsMD5: Bool

    /// Nothing but what every server does.
    static let least = Capabilities(conditionalCreate: false, listsInOrder: false, etagIsMD5: false)
}

/// The object that says that a repository is kept here, and how the server it was found on behaves.
struct StorageMarker: Hashable, Sendable, Codable {
    var format = 1
    var note = "fleet keeps a repository under this prefix. Without this object it takes it for missing."
    /// Where it was found out: a copy elsewhere says nothing of the server there.
    var bucket: String
    var server: String
    var capabilities: Capabilities

    /// Not a key that a storage allows: never listed, and out of everybody's way.
    static let name = ".fleet-storage"

    init(bucket: String, server: String, capabilities: Capabilities) {
        self.bucket = bucket
        self.server = server
        self.capabilities = capabilities
    }

    /// - Throws: `corrupted`, `unsupported`.
    init(_ bytes: [UInt8]) throws {
        do {
            self = try JSONDecoder().decode(StorageMarker.self, from: Data(bytes))
        } catch {
            throw FleetError(
                .corrupted, "\(Self.name) cannot be read",
                hint: "delete that object; the next full backup makes it anew")
        }
        guard format == 1 else {
            throw FleetError(
                .unsupported, "\(Self.name) has format \(format), which this version does not know",
                hint: "use the fleet that made the repository, or a newer one")
        }
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return Array(try encoder.encode(self))
    }

    /// The kind of server, without its version: `AmazonS3`, `MinIO`, `SeaweedFS`.
    static func server(_ answer: HTTPResult) -> String {
        String((answer.headers["server"] ?? "").prefix { $0 != " " && $0 != "/" }.prefix(100))
    }
}

/// What this process knows of the server.
final class FoundCapabilities: Sendable {
    private let state = Mutex<(capabilities: Capabilities, isCertain: Bool)?>(nil)

    var known: Capabilities? { state.withLock { $0?.capabilities } }
    /// Nil as long as it is only assumed.
    var certain: Capabilities? { state.withLock { $0.flatMap { $0.isCertain ? $0.capabilities : nil } } }

    func set(_ capabilities: Capabilities, isCertain: Bool) {
        state.withLock { $0 = (capabilities, isCertain) }
    }
}
