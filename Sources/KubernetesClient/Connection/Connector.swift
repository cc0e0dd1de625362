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

    /// What a login is made of.
    private struct Login: Sendable {
        var token: Secret?
        var certificate: Secret?
        var key: Secret?
        /// When it has to be looked at again.
        var ends: ContinuousClock.Instant?
    }

    private let configuration: KubernetesConfiguration
    private var login: Login?
    /// Whoever comes while the credentials are being fetched waits for the same ones.
    private var fetching: Task<Login, any Error>?
    private var session: (value: HTTPSession, certificate: Secret?)?
    private var number = 0

    /// A token file is read again after this time; kubelets rotate tokens long before they expire.
    private static let tokenLife: Duration = .seconds(10)
    /// What a program gave is fetched anew so long before it expires.
    private static let margin: Duration = .seconds(10)
    private static let fileLimit: Int64 = 1 << 20

    init(_ configuration: KubernetesConfiguration) {
        self.configuration = configuration
    }

    /// - Throws: what reading files and running programs throws, with what they are for.
    func connection() async throws -> Connection {
        let login = try await currentLogin()
        let session = session(for: login)
        var secretHeaders: [String: Secret] = [:]
        if let token = login.token { secretHeaders["Authorization"] = token.reveal { Secret("Bearer \($0)") } }
        var headers = HTTPHeaders()
        for (name, value) in configuration.credentials.impersonation { headers.add(name, value) }
        if configuration.serverName != nil { headers["Host"] = configuration.authority }
        return Connection(session: session, headers: headers, secretHeaders: secretHeaders, login: number)
    }

    /// The server did not accept a login. Files are read and programs run again.
    ///
    /// - Returns: whether trying again could help.
    func refused(_ refused: Int) -> Bool {
        guard refused == number else { return true }
        number += 1
        login = nil
        return configuration.credentials.isRenewable
    }

    private func currentLogin() async throws -> Login {
        if let login, login.ends.map({ $0 > .now }) ?? true { return login }
        if let fetching { return try await fetching.value }
        let task = Task { try await Self.fetch(configuration) }
        fetching = task
        defer { fetching = nil }
        let fetched = try await task.value
        login = fetched
        return fetched
    }

    /// The session for these credentials: another certificate needs other connections.
    private func session(for login: Login) -> HTTPSession {
        if let session, Self.areSame(session.certificate, login.certificate) { return session.value }
        var tls = HTTPSession.TLSOptions(
            authorityFile: configuration.authorityFile, authorities: configuration.authorities)
        tls.clientCertificate = login.certificate?.reveal { Array($0.utf8) }
        tls.clientKey = login.key
        let made = HTTPSession(
            HTTPSession.Options(
                tls: tls, usesProxyEnvironment: !configuration.isLoopback, proxy: configuration.proxy,
                connectTo: configuration.serverName == nil ? nil : configuration.address, connectionsPerHost: 1024,
                connections: 1024))
        session = (made, login.certificate)
        return made
    }

    private static func areSame(_ left: Secret?, _ right: Secret?) -> Bool {
        left?.reveal { $0 } == right?.reveal { $0 }
    }

    private static func fetch(_ configuration: KubernetesConfiguration) async throws -> Login {
        let credentials = configuration.credentials
        var login = Login()
        if let source = credentials.certificate { login.certificate = try await text(source, configuration) }
        if let source = credentials.key { login.key = try await text(source, configuration) }
        if let file = credentials.tokenFile {
            login.token = try await text(.file(file), configuration)
            login.ends = .now + tokenLife
        } else {
            login.token = credentials.token
        }
        guard let exec = credentials.exec, login.token == nil, login.certificate == nil else { return login }
        let given = try await exec.run()
        (login.token, login.certificate, login.key) = (given.token, given.certificate, given.key)
        if let expires = given.expires { login.ends = .now + (expires - .now - margin) }
        return login
    }

    private static func text(
        _ source: UserCredentials.Source, _ configuration: KubernetesConfiguration
    ) async throws -> Secret {
        switch source {
        case .inline(let secret): return secret
        case .file(let path):
            do {
                let bytes = try await Disk().read(path, limit: fileLimit)
                return Secret(trimmed(String(decoding: bytes, as: UTF8.self)))
            } catch let error as FleetError {
                throw error.during("\(configuration.contextName): the credentials of \(configuration.credentials.name)")
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
        if tokenFile != nil || exec != nil { return true }
        if case .file = certificate { return true }
        return false
    }
}
