import FleetPluginAPI
import YAML

extension UserCredentials {
    /// - Throws: `configuration`, `unsupported`; never with a value.
    init(_ user: KubeconfigNode, name: String, cluster: KubeconfigNode) throws {
        self.init(name: name)
        certificate = try Self.source("client-certificate", of: user)
        key = try Self.source("client-key", of: user)
        if (certificate == nil) != (key == nil) {
            throw user.error("\(user.field) has a client-certificate or a client-key, but not both")
        }
        token = try user.string("token").map { Secret($0) }
        tokenFile = try user.path("tokenFile")
        exec = try user.child("exec").map { try ExecPlugin($0, cluster: cluster) }
        try addImpersonation(user)
        if let provider = try user.child("auth-provider") {
            throw FleetError(
                .unsupported, "\(user.file): \(provider.field) is no longer part of Kubernetes",
                hint: "use the provider's exec plugin instead")
        }
        guard try user.string("username") == nil, try user.string("password") == nil else {
            throw FleetError(
                .unsupported, "\(user.file): \(user.field) has a password, which API servers since 1.19 do not take",
                hint: "use a client certificate, a token or an exec plugin")
        }
    }

    private static func source(_ key: String, of user: KubeconfigNode) throws -> Source? {
        if let bytes = try user.data("\(key)-data") { return .inline(Secret(String(decoding: bytes, as: UTF8.self))) }
        return try user.path(key).map { .file($0) }
    }

    /// `as` and its like: leaving them out would mean to act with more rights than were asked for.
    private mutating func addImpersonation(_ user: KubeconfigNode) throws {
        if let name = try user.string("as") { impersonation.append(("Impersonate-User", name)) }
        if let uid = try user.string("as-uid") { impersonation.append(("Impersonate-Uid", uid)) }
        for group in try user.strings("as-groups") { impersonation.append(("Impersonate-Group", group)) }
        guard let extra = try user.child("as-user-extra") else { return }
        for pair in extra.node.mapping ?? [] {
            guard let key = pair.key.scalar?.text else { continue }
            for value in try extra.strings(key) {
                impersonation.append(("Impersonate-Extra-\(APIRequest.escaped(key))", value))
            }
        }
    }
}
