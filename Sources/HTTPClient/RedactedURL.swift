import FleetPluginAPI

/// A URL for people's eyes: scheme, host, port and path. User, password, query and fragment may be secrets and are left
/// out; so is what cannot be understood.
struct RedactedURL: CustomStringConvertible {
    let description: String

    init(_ url: String, hidesPath: Bool = false) {
        guard let parts = Parts(url), Self.isPrintable(url) else {
            description = "a malformed URL"
            return
        }
        description = "\(parts.scheme)://\(parts.host)\(hidesPath ? "" : String(parts.path.prefix(200)))"
    }

    /// - Throws: `usage` for what is not an http or https URL of a host, or has a user in it.
    static func check(_ url: String, in request: String) throws {
        guard let parts = Parts(url), !parts.host.isEmpty, isPrintable(url) else {
            throw FleetError(.usage, "\(request): the URL is malformed", hint: "write http://host/… or https://host/…")
        }
        guard !parts.hasUser else {
            throw FleetError(
                .usage, "\(request): the URL contains a user", hint: "give credentials in a secret header instead")
        }
    }

    private struct Parts {
        var scheme: String
        var hasUser: Bool
        var host: String
        var path: String

        init?(_ url: String) {
            let bytes = url.utf8
            for scheme in ["http", "https"] where bytes.starts(with: "\(scheme)://".utf8) {
                let rest = url.utf8.dropFirst(scheme.utf8.count + 3)
                let authority = rest.prefix { !"/?#".utf8.contains($0) }
                let at = authority.lastIndex(of: UInt8(ascii: "@"))
                let host = at.map { authority[authority.index(after: $0)...] } ?? authority
                let path = rest[authority.endIndex...].prefix { !"?#".utf8.contains($0) }
                self.scheme = scheme
                hasUser = at != nil
                self.host = String(decoding: host, as: UTF8.self)
                self.path = String(decoding: path, as: UTF8.self)
                return
            }
            return nil
        }
    }

    private static func isPrintable(_ url: String) -> Bool {
        url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}
