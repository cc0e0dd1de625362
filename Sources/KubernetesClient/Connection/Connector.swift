import DurableFiles
import FleetPluginAPI
import HTTPClient

/// Makes sessions with the credentials of now, and makes them anew when those have changed.
actor Connector {
    /// A session to send with, and what each request must carry.
    struct Connection: Sendable {
        var session: HTTPSession
        var headers: HTTPHeaders
        var secretHeaders: [String: Secret]
        /// Which login this is; for `refused`.
        var login: Int
    }

    private let configuration: KubernetesConfiguration
    private var session: HTTPSession?
    private var token: (value: Secret, readAt: ContinuousClock.Instant)?
    private var login = 0

    /// A token file is read again after this time; kubelets rotate tokens long before they expire.
    private static let tokenLife: Duration = .seconds(10)
    private static let fileLimit: Int64 = 1 << 20

    init(_ configuration: KubernetesConfiguration) {
        self.configuration = configuration
    }

    /// - Throws: what reading files throws, with what they are for.
    func connection() async throws -> Connection {
        let session = try await currentSession()
        var secretHeaders: [String: Secret] = [:]
        if let token = try await currentToken() {
            secretHeaders["Authorization"] = token.reveal { Secret("Bearer \($0)") }
        }
        var headers = HTTPHeaders()
        for (name, value) in configuration.credentials.impersonation { headers.add(name, value) }
        return Connection(session: session, headers: headers, secretHeaders: secretHeaders, login: login)
    }

    /// The server did not accept a login. Files are read again.
    ///
    /// - Returns: whether trying again could help.
    func refused(_ refused: Int) -> Bool {
        guard refused == login else { return true }
        login += 1
        token = nil
        session = nil
        return configuration.credentials.isRenewable
    }

    private func currentSession() async throws -> HTTPSession {
        if let session { return session }
        var tls = HTTPSession.TLSOptions(authorities: configuration.authorities)
        tls.authorityFile = configuration.authorityFile
        let credentials = configuration.credentials
        if let source = credentials.certificate {
            tls.clientCertificate = try await text(source, "the client certificate").reveal { Array($0.utf8) }
        }
        if let source = credentials.key { tls.clientKey = try await text(source, "the client key") }
        // Made while this one waited for the files.
        if let session { return session }
        let made = HTTPSession(HTTPSession.Options(tls: tls, connectionsPerHost: 1024, connections: 1024))
        session = made
        return made
    }

    private func currentToken() async throws -> Secret? {
        guard let file = configuration.credentials.tokenFile else { return configuration.credentials.token }
        if let token, token.readAt.duration(to: .now) < Self.tokenLife { return token.value }
        let value = try await text(.file(file), "the token")
        token = (value, .now)
        return value
    }

    private func text(_ source: UserCredentials.Source, _ what: String) async throws -> Secret {
        switch source {
        case .inline(let secret): return secret
        case .file(let path):
            do {
                let bytes = try await Disk().read(path, limit: Self.fileLimit)
                return Secret(Self.trimmed(String(decoding: bytes, as: UTF8.self)))
            } catch let error as FleetError {
                throw error.during("\(configuration.contextName): \(what) of \(configuration.credentials.name)")
            }
        }
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}

extension UserCredentials {
    /// Whether another login could be with something else than the last.
    var isRenewable: Bool {
        if tokenFile != nil { return true }
        if case .file = certificate { return true }
        return false
    }
}
