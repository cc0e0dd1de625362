import FleetPluginAPI
import HTTPClient

extension S3Storage {
    /// Finds out what the server can do, marks the place as a repository's, and removes what uploads that died left more
    /// than a day ago. Makes no bucket.
    public func prepare() async throws {
        try await perform("prepare \(settings.bucket)/\(settings.prefix)") {
            if let marker = try await marker(), isOurs(marker), try await stillHolds(marker.marker) {
                found.set(marker.marker.capabilities, isCertain: true)
            } else {
                let (capabilities, server) = try await Probe(storage: self).run()
                let marker = StorageMarker(bucket: settings.bucket, server: server, capabilities: capabilities)
                try await put(Upload(key: markerKey, bytes: marker.encoded(), isConditional: false))
                found.set(capabilities, isCertain: true)
            }
            try await removeLeftovers(before: client.now - .seconds(86_400))
        }
    }

    /// What the server can do; the first time it is read from the bucket.
    ///
    /// - Throws: `unavailable` when the place has not been prepared.
    func capabilities() async throws -> Capabilities {
        if let known = found.known { return known }
        guard let found = try await marker() else {
            let place = "\(settings.bucket)/\(settings.prefix)"
            throw FleetError(
                .unavailable, "\(place) is not a repository", cause: "\(StorageMarker.name) is missing in it",
                hint: "check bucket and prefix; a new repository is made by its first full backup")
        }
        let capabilities = isOurs(found) ? found.marker.capabilities : .least
        self.found.set(capabilities, isCertain: isOurs(found))
        return capabilities
    }

    /// The same for those who are about to create something; in a copy of a repository it is tried out.
    func conditionalCapabilities() async throws -> Capabilities {
        _ = try await capabilities()
        if let certain = found.certain { return certain }
        let (capabilities, _) = try await Probe(storage: self).run()
        found.set(capabilities, isCertain: true)
        return capabilities
    }

    private struct FoundMarker {
        var marker: StorageMarker
        var server: String
    }

    private var markerKey: String { settings.prefix + StorageMarker.name }

    private func marker() async throws -> FoundMarker? {
        do {
            let (bytes, answer) = try await read(markerKey, range: nil, .least)
            return FoundMarker(marker: try StorageMarker(bytes), server: StorageMarker.server(answer))
        } catch let error as FleetError where error.code == .notFound {
            return nil
        }
    }

    private func isOurs(_ found: FoundMarker) -> Bool {
        found.marker.bucket == settings.bucket && found.marker.server == found.server
    }

    /// Whether creating the marker once more fails, as it must on a server that honours conditions.
    private func stillHolds(_ marker: StorageMarker) async throws -> Bool {
        guard marker.capabilities.conditionalCreate else { return false }
        do {
            try await put(Upload(key: markerKey, bytes: marker.encoded(), isConditional: true))
            return false
        } catch let error as FleetError where error.code == .alreadyExists {
            return true
        } catch let error as FleetError where error.code == .unsupported {
            return false
        }
    }

    /// Uploads and trials that were never ended.
    func removeLeftovers(before time: Timestamp) async throws {
        do {
            for upload in try await uploads() where upload.initiated < time {
                try? await abort(upload.key, upload.id)
            }
        } catch let error as FleetError where [.denied, .unsupported, .failed, .protocolViolation].contains(error.code)
        {
            // Not everybody may list uploads, nor can every server; the bucket's life cycle can remove them as well.
        }
        let probes = try await bucketPage(settings.prefix + Probe.prefix, after: nil, nil, limit: 1000)
        for object in probes.objects where object.modified < time { try? await remove(object.key) }
    }

    /// Unfinished uploads of this repository's.
    func uploads() async throws -> [UploadPage.Upload] {
        var uploads: [UploadPage.Upload] = []
        var marker: (key: String, id: String)?
        repeat {
            var call = S3Call(.get, nil, query: [("uploads", ""), ("encoding-type", "url")])
            if !settings.prefix.isEmpty { call.query.append(("prefix", settings.prefix)) }
            if let marker { call.query += [("key-marker", marker.key), ("upload-id-marker", marker.id)] }
            let page = try UploadPage(try await client.perform(call).body)
            // A server may take the prefix for a hint.
            uploads += page.uploads.filter { $0.key.utf8.starts(with: settings.prefix.utf8) }
            if let next = page.next, let marker, next == marker {
                throw Answer.malformed("the server's list goes round in a circle")
            }
            marker = page.next
        } while marker != nil
        return uploads
    }
}
