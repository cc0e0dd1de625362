public import FleetPluginAPI

/// Sends requests and keeps connections for the next ones. One thread serves all of its transfers.
public final class HTTPSession: Sendable {
    /// One for everybody who needs nothing special.
    public static let shared = HTTPSession()

    let loop: CurlLoop
    let options: Options

    public struct Options: Sendable {
        public var tls: TLSOptions
        /// Connect to this Unix domain socket instead of the URL's host.
        public var unixSocket: String?
        /// Whether `http_proxy`, `HTTPS_PROXY`, `NO_PROXY` and their like count.
        public var usesProxyEnvironment: Bool
        /// The URL of a proxy for everything, whatever the environment says; it may contain a password.
        public var proxy: Secret?
        /// `host:port` to connect to instead of the URL's, which is still the name that certificates must have.
        public var connectTo: String?
        public var connectionsPerHost: Int
        public var connections: Int
        /// What the server is told: `User-Agent`.
        public var agent: String

        public init(
            tls: TLSOptions = TLSOptions(), unixSocket: String? = nil, usesProxyEnvironment: Bool = true,
            proxy: Secret? = nil, connectTo: String? = nil, connectionsPerHost: Int = 16, connections: Int = 64,
            agent: String = "fleet"
        ) {
            self.proxy = proxy
            self.connectTo = connectTo
            self.tls = tls
            self.unixSocket = unixSocket
            self.usesProxyEnvironment = usesProxyEnvironment
            self.connectionsPerHost = connectionsPerHost
            self.connections = connections
            self.agent = agent
        }
    }

    /// Whom to trust and who we are. Certificates are always verified.
    public struct TLSOptions: Sendable {
        /// A file of certificate authorities, PEM; without it and `authorities`: the system's.
        public var authorityFile: String?
        /// Certificate authorities, PEM.
        public var authorities: [UInt8]?
        public var clientCertificateFile: String?
        public var clientKeyFile: String?
        /// A client certificate and its key, PEM.
        public var clientCertificate: [UInt8]?
        public var clientKey: Secret?

        public init(
            authorityFile: String? = nil, authorities: [UInt8]? = nil, clientCertificateFile: String? = nil,
            clientKeyFile: String? = nil, clientCertificate: [UInt8]? = nil, clientKey: Secret? = nil
        ) {
            self.authorityFile = authorityFile
            self.authorities = authorities
            self.clientCertificateFile = clientCertificateFile
            self.clientKeyFile = clientKeyFile
            self.clientCertificate = clientCertificate
            self.clientKey = clientKey
        }
    }

    public init(_ options: Options = Options()) {
        self.options = options
        loop = CurlLoop(
            connectionsPerHost: max(1, options.connectionsPerHost), connections: max(1, options.connections))
    }

    deinit {
        loop.close()
    }

    /// Sends a request and returns when the head of the answer is there, whatever its status.
    ///
    /// - Throws: `unavailable` (name, connection, transfer), `timedOut`, `denied` (TLS), `exhausted` (answer too large),
    ///   `protocolViolation`, `usage`, `configuration` (certificate files), `CancellationError`.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        try await send(try transfer(request))
    }

    func transfer(_ request: HTTPRequest) throws -> Transfer {
        try request.validate()
        return Transfer(request, options, loop)
    }

    func send(_ transfer: Transfer) async throws -> HTTPResponse {
        try Task.checkCancellation()
        transfer.startFeeding()
        let head = try await transfer.start()
        return HTTPResponse(status: head.status, headers: head.headers, body: HTTPBody(transfer, self))
    }

    /// Sends a request and reads the whole answer.
    public func fetch(_ request: HTTPRequest) async throws -> HTTPResult {
        try await send(request).collect()
    }
}
