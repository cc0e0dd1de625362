public import FleetPluginAPI

/// What is asked of a server, as a value.
public struct HTTPRequest: Sendable {
    public enum Method: String, Hashable, Sendable, Codable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"

        /// Asking twice does what asking once does (RFC 9110, 9.2.2).
        public var isIdempotent: Bool {
            switch self {
            case .get, .head, .put, .delete, .options: true
            case .post, .patch: false
            }
        }
    }

    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Pieces as they are asked for, nil after the last. Without a length it is sent chunked.
        case stream(length: Int64?, next: @Sendable () async throws -> [UInt8]?)
    }

    public var method: Method
    /// `http` or `https`, without user and password.
    public var url: String
    public var headers: HTTPHeaders
    /// Headers whose values must not be seen: authorization, tokens.
    public var secretHeaders: [String: Secret]
    public var body: Body
    /// For everything, from the name's resolution to the last byte.
    public var deadline: Duration
    public var connectTimeout: Duration
    /// The transfer is given up when nothing moves for so long; time that the reader takes does not count. Whole
    /// seconds, 0 for never.
    public var stallTimeout: Duration
    /// Bytes of body that are accepted.
    public var responseLimit: Int64
    /// How many redirects are followed; never with secret headers, which would be told to another server.
    public var redirects: Int
    /// Whether repeating the request is safe; nil: by its method.
    public var isIdempotent: Bool?
    /// Statuses by which this server says that it has done nothing, so that even a request whose repetition is not
    /// safe may be tried again.
    public var refusals: Set<Int>
    /// Errors name the server alone: for URLs whose path is a secret.
    public var hidesPath: Bool

    public init(
        _ method: Method = .get, _ url: String, headers: HTTPHeaders = [:], secretHeaders: [String: Secret] = [:],
        body: Body = .none, deadline: Duration = .seconds(60), connectTimeout: Duration = .seconds(10),
        stallTimeout: Duration = .seconds(30), responseLimit: Int64 = 64 << 20, redirects: Int = 0,
        isIdempotent: Bool? = nil, refusals: Set<Int> = [], hidesPath: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.secretHeaders = secretHeaders
        self.body = body
        self.deadline = deadline
        self.connectTimeout = connectTimeout
        self.stallTimeout = stallTimeout
        self.responseLimit = responseLimit
        self.redirects = redirects
        self.isIdempotent = isIdempotent
        self.refusals = refusals
        self.hidesPath = hidesPath
    }
}

extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `GET https://host/path`, without what may be secret.
    public var description: String {
        "\(method.rawValue) \(RedactedURL(url, hidesPath: hidesPath))"
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}

extension HTTPRequest {
    /// - Throws: `usage`; names the header at fault, never its value.
    func validate() throws {
        try RedactedURL.check(url, in: description)
        for (name, value) in headers.fields { try Self.check(name, value, in: self) }
        for (name, secret) in secretHeaders {
            try secret.reveal { try Self.check(name, $0, in: self) }
        }
    }

    private static func check(_ name: String, _ value: String, in request: HTTPRequest) throws {
        let isToken =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        guard isToken else { throw FleetError(.usage, "\(request): a header has a name that is not allowed") }
        guard !value.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else {
            throw FleetError(.usage, "\(request): the header \(name) has more than one line")
        }
    }
}
