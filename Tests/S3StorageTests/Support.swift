import FleetPluginAPI
import FleetTestSupport
import HTTPClient

@testable import S3Storage

/// How tests make storages: with the real server's keys unless they say otherwise, and little patience.
struct Place: Sendable {
    var endpoint: String
    var bucket: String
    var options: [String: JSONValue] = [:]
    var accessKey = S3Server.accessKey
    var secretKey = S3Server.secretKey
    var clock: @Sendable () -> Timestamp = { .now }
    var attempts = 4

    func storage() throws -> S3Storage {
        let values: [String: JSONValue] = [
            "endpoint": .string(endpoint), "bucket": .string(bucket), "accessKey": ["env": "ACCESS"],
            "secretKey": ["env": "SECRET"], "timeout": "2s",
        ]
        let (accessKey, secretKey) = (accessKey, secretKey)
        return try S3Storage(
            name: "cloud", PluginOptions(values.merging(options) { $1 }),
            resolve: { Secret($0 == .environment("ACCESS") ? accessKey : secretKey) },
            retry: RetryPolicy(attempts: attempts, firstPause: .milliseconds(5), longestPause: .milliseconds(20)),
            clock: clock)
    }

    /// Prepared.
    func ready() async throws -> S3Storage {
        let storage = try storage()
        try await storage.prepare()
        return storage
    }

    /// A bucket of its own on the real server.
    static func real() async throws -> Place {
        let server = try await S3Server.shared()
        return Place(endpoint: server.endpoint, bucket: try await server.makeBucket())
    }
}

/// The error that `body` ends with; nil when it does not. Call it outside of `#expect`: Swift 6.3 runs the wrong one of
/// two closures when one of them stands in a macro's argument and the other in the same function outside of any.
func failure(_ body: () async throws -> Void) async -> FleetError? {
    do {
        try await body()
        return nil
    } catch {
        return FleetError(error, "not a FleetError")
    }
}

/// Every call of a storage's.
func calls(_ storage: S3Storage) -> [(String, () async throws -> Void)] {
    [
        ("list", { _ = try await storage.list("", after: nil, limit: 1) }),
        ("get", { _ = try await storage.get("a/b") }),
        ("get of a range", { _ = try await storage.get("a/b", range: 0..<5) }),
        ("get of an empty range", { _ = try await storage.get("a/b", range: 5..<5) }),
        ("head", { _ = try await storage.head("a/b") }),
        ("put", { try await storage.put("a/c", [1], condition: .any) }),
        ("create", { try await storage.put("a/d", [1], condition: .absent) }),
        ("delete", { try await storage.delete("a/b") }),
    ]
}

/// Bytes that differ from place to place.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 8) }
}
