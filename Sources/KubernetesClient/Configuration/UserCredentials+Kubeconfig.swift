import FleetPluginAPI

extension UserCredentials {
    /// - Throws: `configuration`, `unsupported`; never with a value.
    init(_ user: KubeconfigNode, name: String) throws {
        self.init(name: name)
        certificate = try Self.source("client-certificate", of: user)
        key = try Self.source("client-key", of: user)
        if (certificate == nil) != (key == nil) {
            throw user.error("\(user.field) has a client-certificate or a client-key, but not both")
        }
        token = try user.string("token").map { Secret($0) }
        tokenFile = try user.path("tokenFile")
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
}
