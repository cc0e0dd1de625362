/// One PostgreSQL server as fleet.yaml declares it: one data directory, one system identifier.
public struct Instance: Hashable, Sendable, Codable {
    public var name: String
    public var cluster: String
    /// dev, prod, …: of the cluster.
    public var environment: String
    public var labels: [String: String]
    /// The `platform:` block: where the instance lives, in its platform's words.
    public var platform: PluginOptions
    /// How to log in; what is nil here the platform finds out.
    public var connection: ConnectionOptions

    public init(
        name: String, cluster: String, environment: String, labels: [String: String] = [:],
        platform: PluginOptions = PluginOptions(), connection: ConnectionOptions = ConnectionOptions()
    ) {
        self.name = name
        self.cluster = cluster
        self.environment = environment
        self.labels = labels
        self.platform = platform
        self.connection = connection
    }
}

/// The `connection:` block of an instance.
public struct ConnectionOptions: Hashable, Sendable, Codable {
    public var host: String?
    public var port: Int?
    public var user: String?
    /// The database for fleet's own queries; `postgres` when nil.
    public var database: String?
    public var password: SecretReference?
    /// libpq's `sslmode`.
    public var sslMode: String?
    /// File of certificates to trust, libpq's `sslrootcert`.
    public var sslRootCertificate: String?

    public init(
        host: String? = nil, port: Int? = nil, user: String? = nil, database: String? = nil,
        password: SecretReference? = nil, sslMode: String? = nil, sslRootCertificate: String? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.database = database
        self.password = password
        self.sslMode = sslMode
        self.sslRootCertificate = sslRootCertificate
    }
}

/// Where a server answers, all of it known.
public struct Endpoint: Hashable, Sendable, Codable {
    /// A host name, an address, or the absolute path of the directory that holds the Unix socket.
    public var host: String
    public var port: Int
    public var user: String
    public var database: String
    public var password: SecretReference?
    public var sslMode: String?
    public var sslRootCertificate: String?

    public init(
        host: String, port: Int, user: String, database: String = "postgres", password: SecretReference? = nil,
        sslMode: String? = nil, sslRootCertificate: String? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.database = database
        self.password = password
        self.sslMode = sslMode
        self.sslRootCertificate = sslRootCertificate
    }
}

/// A workload that uses instances.
public struct Application: Hashable, Sendable, Codable {
    public var name: String
    public var cluster: String
    public var environment: String
    /// Names of instances.
    public var uses: [String]
    public var labels: [String: String]

    public init(
        name: String, cluster: String, environment: String, uses: [String], labels: [String: String] = [:]
    ) {
        self.name = name
        self.cluster = cluster
        self.environment = environment
        self.uses = uses
        self.labels = labels
    }
}

/// A statement whose single value must be as expected; read only.
public struct DataCheck: Hashable, Sendable, Codable {
    public var name: String
    public var database: String
    public var sql: String
    public var expectation: Expectation

    public enum Expectation: Hashable, Sendable, Codable {
        case equals(String)
        case atLeast(Double)
        case atMost(Double)
        /// The statement succeeds.
        case succeeds
    }

    public init(name: String, database: String, sql: String, expectation: Expectation) {
        self.name = name
        self.database = database
        self.sql = sql
        self.expectation = expectation
    }
}

/// The answer to a `DataCheck`.
public struct DataCheckResult: Hashable, Sendable, Codable {
    public var check: String
    public var passed: Bool
    /// The value found, as text; nil when there was none.
    public var value: String?
    /// Why it did not pass.
    public var reason: String?

    public init(check: String, passed: Bool, value: String?, reason: String? = nil) {
        self.check = check
        self.passed = passed
        self.value = value
        self.reason = reason
    }
}

/// A statement that makes a copy's data fit to be seen by others than its source's.
public struct DataMask: Hashable, Sendable, Codable {
    /// What it hides.
    public var name: String
    public var database: String
    /// Safe to repeat.
    public var sql: String

    public init(name: String, database: String, sql: String) {
        self.name = name
        self.database = database
        self.sql = sql
    }
}
