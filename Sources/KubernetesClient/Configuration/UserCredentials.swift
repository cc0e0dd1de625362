import FleetPluginAPI

/// What a user of a kubeconfig logs in with. Everything that is given is used: a certificate and a token together.
struct UserCredentials: Sendable {
    /// Who that is, for messages.
    var name: String
    /// PEM.
    var certificate: Source?
    /// PEM.
    var key: Source?
    var token: Secret?
    /// Absolute; read again when it may have been rotated. Wins over `token`.
    var tokenFile: String?
    /// Used where there is neither a token nor a certificate.
    var exec: ExecPlugin?
    /// Headers that make the server act as somebody else.
    var impersonation: [(name: String, value: String)] = []

    init(name: String) {
        self.name = name
    }

    enum Source: Sendable {
        case inline(Secret)
        /// Absolute.
        case file(String)
    }
}
