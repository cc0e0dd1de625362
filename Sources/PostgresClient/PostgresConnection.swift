internal import CLibPQ
import FleetPluginAPI

/// A connection for SQL. One call at a time; none of them blocks a thread.
///
/// Every call throws `FleetError`: `timedOut` at its deadline, `cancelled` when its task is, both after the server was
/// told to cancel; the connection is closed then. `unavailable` when the connection is lost, else by SQLSTATE:
/// `denied` (28…, 42501), `notFound` (3D000, 42P01, …), `exhausted` (53…), `conflict`, `failed`, ….
public actor PostgresConnection {
    private let session: Session

    private init(_ session: Session) {
        self.session = session
    }

    /// Connects and logs in.
    public static func connect(
        _ parameters: ConnectionParameters, deadline: ContinuousClock.Instant
    ) async throws -> PostgresConnection {
        PostgresConnection(try await Session.connect(parameters, replication: false, deadline: deadline))
    }

    /// Runs one statement. Parameters are `$1`, `$2`, …: text, nil for NULL; they never appear in an error.
    @discardableResult
    public func query(
        _ sql: String, _ parameters: [String?] = [], deadline: ContinuousClock.Instant
    ) async throws -> PostgresResult {
        let results = try await session.execute(sql, parameters, deadline: deadline, "query at \(session.place)")
        guard let result = results.first else {
            throw FleetError(.usage, "query at \(session.place)", cause: "there is no statement")
        }
        return result
    }

    /// Runs any number of statements, as one transaction unless they say otherwise; one result for each.
    @discardableResult
    public func simpleQuery(_ sql: String, deadline: ContinuousClock.Instant) async throws -> [PostgresResult] {
        try await session.execute(sql, nil, deadline: deadline, "query at \(session.place)")
    }

    /// Closes the connection at once; calls in progress end as `unavailable`.
    public func close() {
        session.closeFromOutside()
    }

    public var isOpen: Bool { session.isOpen }

    /// `server_version_num`: 150020; zero once closed.
    public var serverVersion: Int { session.serverVersion }

    /// Process id of the server's backend; zero once closed.
    public var backendPID: Int32 { session.backendPID }

    /// Whether TLS is in use.
    public var isEncrypted: Bool { session.isEncrypted }

    /// What the server reported at login or since: `server_encoding`, `in_hot_standby` (14+), ….
    public func parameter(_ name: String) -> String? { session.parameter(name) }

    /// The notices since the last call, the newest hundred at most.
    public func takeNotices() -> [PostgresNotice] { session.takeNotices() }
}

extension PostgresConnection {
    /// Lends a connection to `body` and closes it afterwards.
    public static func with<Result>(
        _ parameters: ConnectionParameters, deadline: ContinuousClock.Instant,
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await connect(parameters, deadline: deadline)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension Session {
    var serverVersion: Int { (try? open()).map { unsafe Int(PQserverVersion($0.pointer)) } ?? 0 }
    var backendPID: Int32 { (try? open()).map { unsafe PQbackendPID($0.pointer) } ?? 0 }
    var isEncrypted: Bool { (try? open()).map { unsafe PQsslInUse($0.pointer) == 1 } ?? false }

    func parameter(_ name: String) -> String? {
        guard let handle = try? open(), let value = unsafe PQparameterStatus(handle.pointer, name) else { return nil }
        return unsafe String(cString: value)
    }

    func takeNotices() -> [PostgresNotice] { (try? open())?.notices.take() ?? [] }
}
