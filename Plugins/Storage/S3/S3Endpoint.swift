import FleetPluginAPI

/// Where a bucket is reached.
struct S3Endpoint: Sendable {
    enum Addressing: String, Sendable {
        /// `https://host/bucket/key`
        case path
        /// `https://bucket.host/key`
        case virtualHost = "virtual-host"
    }

    var scheme: String
    /// With the port unless it is the scheme's; nil for AWS, whose hosts follow from the region.
    var host: String?
    var addressing: Addressing

    /// - Parameters:
    ///   - url: nil for AWS.
    ///   - addressing: nil for the usual one: virtual hosts on AWS, paths elsewhere and for names with points in them,
    ///     which no wildcard certificate covers.
    init(url: String?, addressing: Addressing?, bucket: String) throws(FleetError) {
        guard let url else {
            scheme = "https"
            self.addressing = addressing ?? (bucket.contains(".") ? .path : .virtualHost)
            return
        }
        guard let end = url.firstRange(of: "://"), ["http", "https"].contains(String(url[..<end.lowerBound])) else {
            throw Self.malformed
        }
        scheme = String(url[..<end.lowerBound])
        var host = String(url[end.upperBound...])
        if host.hasSuffix("/") { host.removeLast() }
        let allowed = host.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-.:[]_".utf8.contains(byte)
        }
        guard allowed, !host.isEmpty else { throw Self.malformed }
        // Whoever sends a request leaves the usual port out of `Host`, which is signed.
        let usual = scheme == "https" ? ":443" : ":80"
        if host.hasSuffix(usual), !host.hasSuffix("]\(usual)") || host.hasPrefix("[") {
            host.removeLast(usual.utf8.count)
        }
        self.host = host.lowercased()
        self.addressing = addressing ?? .path
    }

    private static var malformed: FleetError {
        FleetError(
            .configuration, "the endpoint is malformed", hint: "write https://HOST or https://HOST:PORT, nothing else")
    }

    struct Place {
        var host: String
        /// Encoded.
        var path: String
    }

    /// - Parameter key: nil for the bucket itself.
    func place(bucket: String, key: String?, region: String) -> Place {
        let host = host(region: region)
        let tail = key.map { "/" + PercentEncoding.encode($0, keepsSlash: true) }
        switch addressing {
        case .path: return Place(host: host, path: "/\(bucket)\(tail ?? "")")
        case .virtualHost: return Place(host: "\(bucket).\(host)", path: tail ?? "/")
        }
    }

    func host(region: String) -> String {
        // "Amazon Simple Storage Service endpoints and quotas"; China is a partition of its own.
        host ?? "s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
    }
}
