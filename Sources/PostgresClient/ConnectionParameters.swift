public import FleetPluginAPI

/// How to reach a server and who to be there. What is nil is libpq's own default.
public struct ConnectionParameters: Sendable {
    /// A host name, an address, or the absolute path of the directory that holds the Unix socket.
    public var host: String
    public var port: Int
    public var user: String
    public var database: String
    public var password: Secret?
    /// What `pg_stat_activity` shows.
    public var applicationName: String
    /// Server settings for the session, as with `PGOPTIONS=-c name=value`.
    public var settings: [String: String]
    /// `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`.
    public var sslMode: String?
    public var sslRootCertificate: String?
    public var sslCertificate: String?
    public var sslKey: String?

    public init(
        host: String, port: Int = 5432, user: String, database: String = "postgres", password: Secret? = nil,
        applicationName: String = "fleet", settings: [String: String] = [:], sslMode: String? = nil,
        sslRootCertificate: String? = nil, sslCertificate: String? = nil, sslKey: String? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.database = database
        self.password = password
        self.applicationName = applicationName
        self.settings = settings
        self.sslMode = sslMode
        self.sslRootCertificate = sslRootCertificate
        self.sslCertificate = sslCertificate
        self.sslKey = sslKey
    }

    /// The endpoint's address with the password that its reference stands for.
    public init(_ endpoint: Endpoint, password: Secret?) {
        self.init(
            host: endpoint.host, port: endpoint.port, user: endpoint.user, database: endpoint.database,
            password: password, sslMode: endpoint.sslMode, sslRootCertificate: endpoint.sslRootCertificate)
    }

    /// Where, in words for a message: `db.example:5432`, `the socket in /run/postgresql, port 5432`.
    public var place: String {
        host.hasPrefix("/") ? "the socket in \(host), port \(port)" : "\(host):\(port)"
    }
}

extension ConnectionParameters {
    /// Keywords and values for `PQconnectStartParams` (PostgreSQL manual, section 34.1.2).
    func keywords(replication: Bool) -> [(String, String)] {
        var list: [(String, String?)] = [
            ("host", host), ("port", String(port)), ("user", user), ("dbname", database),
            ("application_name", applicationName), ("client_encoding", "UTF8"), ("options", options),
            ("sslmode", sslMode), ("sslrootcert", sslRootCertificate), ("sslcert", sslCertificate),
            ("sslkey", sslKey),
            // A peer that vanished without a word is noticed although nothing is sent to it.
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ]
        if replication { list.append(("replication", "true")) }
        return list.compactMap { keyword, value in value.map { (keyword, $0) } }
    }

    /// `-c name=value …` with blanks and backslashes escaped (manual, `options`).
    private var options: String? {
        guard !settings.isEmpty else { return nil }
        return settings.sorted { $0.key < $1.key }.map { name, value in
            let escaped = value.flatMap { $0 == "\\" || $0 == " " ? ["\\", $0] : [$0] }
            return "-c \(name)=\(String(escaped))"
        }.joined(separator: " ")
    }

    /// Whether finding the address may mean asking a name server, which blocks.
    var needsNameResolution: Bool {
        let isAddress = host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
        return !host.hasPrefix("/") && !isAddress
    }
}
