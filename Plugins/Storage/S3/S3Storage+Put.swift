public import FleetPluginAPI
import HTTPClient

extension S3Storage {
    public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
        try await perform("store \(key)") {
            try StorageKey.check(key)
            let capabilities = try await condition == .absent ? conditionalCapabilities() : capabilities()
            var isConditional = condition == .absent
            if isConditional, !capabilities.conditionalCreate {
                guard settings.emulatesConditionalCreate else { throw Self.cannotCreate }
                if try await answer(toHead: settings.prefix + key) != nil {
                    throw FleetError(.alreadyExists, "the object exists already")
                }
                isConditional = false
            }
            let upload = Upload(key: settings.prefix + key, bytes: bytes, isConditional: isConditional)
            // A condition on the end of an upload in parts is not decided atomically by every server that knows it.
            let isInParts = Int64(bytes.count) > settings.partSize && !isConditional
            try await isInParts ? putInParts(upload) : put(upload)
        }
    }

    /// An object on its way, under a name of its own by which it can be told from another writer's.
    struct Upload {
        /// In the bucket.
        var key: String
        var bytes: [UInt8]
        var isConditional: Bool
        /// Thrown away again, and therefore never locked.
        var isTrial = false
        let id = String(UInt64.random(in: .min ... .max), radix: 16)

        static let idHeader = "x-amz-meta-fleet-write"
    }

    /// In one request.
    func put(_ upload: Upload) async throws {
        var call = S3Call(.put, upload.key)
        call.headers = headers(isLocked: !upload.isTrial)
        call.headers["content-type"] = "application/octet-stream"
        call.headers[Upload.idHeader] = upload.id
        if upload.isConditional { call.headers["if-none-match"] = "*" }
        call.deadline = S3Call.deadline(for: Int64(upload.bytes.count))
        attach(upload.bytes, to: &call)
        do {
            _ = try await client.perform(call)
        } catch let error as FleetError where error.code == .alreadyExists {
            // An attempt whose answer was lost is not somebody else's object; libcurl, too, sends again by itself.
            guard try await isStored(upload) else { throw error }
        }
    }

    /// Whether the object is this very upload.
    func isStored(_ upload: Upload) async throws -> Bool {
        try await answer(toHead: upload.key)?.headers[Upload.idHeader] == upload.id
    }

    /// Gives a call its body, with the checksum that the settings want.
    @discardableResult
    func attach(_ bytes: [UInt8], to call: inout S3Call) -> S3Call.Payload {
        let payload = S3Call.Payload(bytes, hashed: settings.signsPayload || settings.checksum == .sha256)
        switch settings.checksum {
        case .sha256: call.headers["x-amz-checksum-sha256"] = payload.checksum
        case .md5: call.headers["content-md5"] = payload.md5
        case .none: break
        }
        call.payload = payload
        return payload
    }

    /// What every new object is stored with.
    func headers(isLocked: Bool = true) -> HTTPHeaders {
        var headers = HTTPHeaders()
        headers["x-amz-server-side-encryption"] = settings.encryption
        headers["x-amz-server-side-encryption-aws-kms-key-id"] = settings.kmsKey
        headers["x-amz-storage-class"] = settings.storageClass
        if isLocked, let lock = settings.lock {
            let end = client.now + .seconds(lock.days * 86_400)
            // S3 takes no fractions finer than milliseconds.
            let whole = Timestamp(microseconds: end.microseconds / 1_000_000 * 1_000_000)
            headers["x-amz-object-lock-mode"] = lock.mode
            headers["x-amz-object-lock-retain-until-date"] = whole.description
        }
        return headers
    }

    private static var cannotCreate: FleetError {
        FleetError(
            .unsupported, "the server cannot create an object only where there is none",
            cause: "it does not honour If-None-Match",
            hint: "use a server that does, or set conditionalCreate: emulated and see to it that only one fleet writes")
    }
}
