import FleetPluginAPI

/// A repository's options, checked.
struct S3Settings: Sendable {
    enum Checksum: String, Sendable { case sha256, md5, none }

    struct Lock: Sendable {
        var mode: String
        var days: Int64
    }

    /// The repository's, for messages.
    var name: String
    var endpoint: S3Endpoint
    var bucket: String
    /// Empty, or with a slash at its end.
    var prefix: String
    var region: String
    var partSize: Int64
    var parallelParts: Int
    var emulatesConditionalCreate: Bool
    var checksum: Checksum
    var signsPayload: Bool
    var encryption: String?
    var kmsKey: String?
    var storageClass: String?
    var lock: Lock?
    var stallTimeout: Duration
    var authorityFile: String?
    var accessKey: SecretReference
    var secretKey: SecretReference
    var sessionToken: SecretReference?

    /// - Throws: `configuration` that names the repository and the option.
    init(name: String, _ options: PluginOptions) throws {
        self.name = name
        do {
            bucket = try Self.bucket(options.required("bucket"))
            endpoint = try S3Endpoint(
                url: options.string("endpoint"),
                addressing: options.string("addressing").flatMap { S3Endpoint.Addressing(rawValue: $0) },
                bucket: bucket)
            prefix = try Self.prefix(options.string("prefix") ?? "")
            region = options.string("region") ?? "us-east-1"
            guard ErrorAnswer.isRegion(region) else { throw Self.wrong("region", "it is no name of a region") }
            partSize = options.size("partSize") ?? 64 << 20
            guard (5 << 20...5 << 30).contains(partSize) else {
                throw Self.wrong("partSize", "S3 takes parts of 5 MiB to 5 GiB")
            }
            parallelParts = Int(options.integer("parallelParts") ?? 4)
            emulatesConditionalCreate = options.string("conditionalCreate") == "emulated"
            checksum = options.string("checksum").flatMap { Checksum(rawValue: $0) } ?? .sha256
            signsPayload = options.bool("signPayload") ?? true
            guard signsPayload || endpoint.scheme == "https" else {
                throw Self.wrong("signPayload", "only https protects what is not signed")
            }
            encryption = options.string("encryption").flatMap { $0 == "none" ? nil : $0 }
            kmsKey = options.string("kmsKey")
            guard kmsKey == nil || encryption == "aws:kms" else {
                throw Self.wrong("kmsKey", "it needs encryption: aws:kms")
            }
            storageClass = options.string("storageClass")
            lock = try Self.lock(options, checksum)
            stallTimeout = options.duration("timeout") ?? .seconds(30)
            authorityFile = options.string("caFile")
            guard let accessKey = options.secret("accessKey") else { throw Self.wrong("accessKey", "it is missing") }
            guard let secretKey = options.secret("secretKey") else { throw Self.wrong("secretKey", "it is missing") }
            self.accessKey = accessKey
            self.secretKey = secretKey
            sessionToken = options.secret("sessionToken")
            for value in [kmsKey, storageClass] {
                guard value?.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7F }) ?? true else {
                    throw FleetError(.configuration, "kmsKey and storageClass are printable ASCII")
                }
            }
        } catch let error as FleetError {
            throw FleetError(
                .configuration, "repository \(name): \(error.message)", cause: error.cause, hint: error.hint)
        }
    }

    /// How people know the place: `bucket backups at s3.example.org`.
    func description(region: String) -> String {
        "bucket \(bucket) at \(endpoint.host(region: region))"
    }

    private static func wrong(_ option: String, _ cause: String) -> FleetError {
        FleetError(.configuration, "the option \(option) is wrong", cause: cause)
    }

    /// "Bucket naming rules"; old buckets on AWS and other servers also have capitals and underscores.
    private static func bucket(_ name: String) throws(FleetError) -> String {
        let isAllowed = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._".utf8.contains(byte)
        }
        guard isAllowed, (3...255).contains(name.utf8.count), name.utf8.first != UInt8(ascii: ".") else {
            throw wrong("bucket", "it is no name of a bucket")
        }
        return name
    }

    private static func prefix(_ text: String) throws(FleetError) -> String {
        var text = text
        if text.hasSuffix("/") { text.removeLast() }
        guard !text.isEmpty else { return "" }
        do {
            try StorageKey.check(text)
        } catch {
            throw wrong("prefix", error.cause ?? error.message)
        }
        // S3's keys have 1024 bytes at most, and a key in a storage up to 900.
        guard text.utf8.count <= 100 else { throw wrong("prefix", "it is longer than 100 bytes") }
        return text + "/"
    }

    private static func lock(_ options: PluginOptions, _ checksum: Checksum) throws(FleetError) -> Lock? {
        guard let mode = options.string("objectLock"), mode != "none" else {
            guard options.integer("retainDays") == nil else {
                throw wrong("retainDays", "it needs objectLock: governance or compliance")
            }
            return nil
        }
        guard let days = options.integer("retainDays") else { throw wrong("retainDays", "objectLock needs it") }
        guard checksum != .none else { throw wrong("checksum", "S3 takes locked objects only with a checksum") }
        return Lock(mode: mode.uppercased(), days: days)
    }
}
