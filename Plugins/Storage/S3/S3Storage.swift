public import FleetPluginAPI
import HTTPClient

/// Objects in an S3 bucket: AWS, or any server that speaks the same protocol.
///
/// The place must have been made by `prepare`, which leaves an object with what it found out about the server. Without
/// that object every call is `unavailable`: a wrong prefix or an emptied bucket must not look like an empty repository.
/// A bucket that does not exist is `configuration`.
///
/// What a whole object is read as is what was stored, where the server keeps a checksum or makes ETags of MD5; of a
/// range, the place and the length are checked.
public struct S3Storage: Storage {
    let settings: S3Settings
    let client: S3Client
    let found = FoundCapabilities()

    public static let descriptor = PluginDescriptor(
        role: .storage, name: "s3", version: "1.0.0",
        summary: "Keeps a repository in an S3 bucket: AWS, MinIO and others that speak its protocol.",
        options: S3Settings.optionSpecs)

    public init(_ context: PluginContext, _ options: PluginOptions) throws {
        try self.init(name: context.name, options, resolve: context.resolve)
    }

    /// - Parameters:
    ///   - options: checked against the descriptor, defaults filled in or not.
    ///   - clock: the machine's.
    init(
        name: String, _ options: PluginOptions, resolve: @escaping SecretResolver,
        retry: RetryPolicy = S3Client.patient, clock: @escaping @Sendable () -> Timestamp = { .now }
    ) throws {
        settings = try S3Settings(name: name, options)
        client = S3Client(settings, resolve: resolve, retry: retry, clock: clock)
    }

    /// Conditional creation counts from the moment when this process has found out that the server can.
    public var features: StorageFeatures {
        StorageFeatures(
            conditionalCreate: found.known?.conditionalCreate ?? false, objectLock: settings.lock != nil,
            versioning: settings.lock != nil)
    }

    public func get(_ key: String, range: Range<Int64>?) async throws -> [UInt8] {
        try await perform("read \(key)") {
            try StorageKey.check(key)
            let capabilities = try await capabilities()
            // An empty range has no name in HTTP.
            if let range, range.isEmpty {
                guard try await head(object: key) != nil else {
                    throw FleetError(.notFound, "there is no object \(key)")
                }
                return []
            }
            return try await read(settings.prefix + key, range: range, capabilities).bytes
        }
    }

    public func head(_ key: String) async throws -> StoredObject? {
        try await perform("look at \(key)") {
            try StorageKey.check(key)
            _ = try await capabilities()
            return try await head(object: key)
        }
    }

    public func delete(_ key: String) async throws {
        try await perform("delete \(key)") {
            try StorageKey.check(key)
            _ = try await capabilities()
            try await remove(settings.prefix + key)
        }
    }

    /// Nothing: S3 has no limit that can be read.
    public func usage() async throws -> StorageUsage {
        StorageUsage(free: nil, total: nil)
    }

    func remove(_ key: String) async throws {
        do {
            _ = try await client.perform(S3Call(.delete, key))
        } catch let error as FleetError where error.code == .notFound {
            // Some servers say so.
        }
    }

    private func head(object key: String) async throws -> StoredObject? {
        guard let answer = try await answer(toHead: settings.prefix + key) else { return nil }
        guard let size = answer.headers["content-length"].flatMap({ Int64($0) }),
            let modified = answer.headers["last-modified"].flatMap({ Timestamp(httpDate: $0) })
        else { throw Answer.malformed("the server does not say how large or how old the object is") }
        return StoredObject(key: key, size: size, modified: modified)
    }

    /// - Parameter key: in the bucket.
    func answer(toHead key: String) async throws -> HTTPResult? {
        do {
            return try await client.perform(S3Call(.head, key))
        } catch let error as FleetError where !error.isRetriable {
            // The answer to HEAD has no body: only another question says whether it is the object that is missing, or
            // what else is wrong.
            var call = S3Call(.get, key)
            call.headers["range"] = "bytes=0-0"
            call.accepted = [416]
            do {
                _ = try await client.perform(call)
            } catch let error as FleetError where error.code == .notFound {
                return nil
            }
            return try await client.perform(S3Call(.head, key))
        }
    }

    /// Says in errors which repository it was for.
    func perform<Result>(_ activity: String, _ work: () async throws -> Result) async throws -> Result {
        do {
            return try await work()
        } catch let error as FleetError {
            throw error.during("repository \(settings.name): cannot \(activity)")
        }
    }
}
