public import FleetPluginAPI
import PostgresClient

/// Named operations on PostgreSQL servers, 13 to 18, over connections that live as long as one operation.
///
/// Holds no state. Passwords are fetched by reference when a connection is made and not kept.
public struct PostgresDatabaseServers: DatabaseServers {
    let resolve: SecretResolver
    /// The `application_name` by which fleet knows its own sessions.
    let applicationName: String

    public init(resolve: @escaping SecretResolver, applicationName: String = "fleet") {
        self.resolve = resolve
        self.applicationName = applicationName
    }
}

extension PostgresDatabaseServers {
    typealias Deadline = ContinuousClock.Instant

    /// What a session may do.
    enum Access {
        /// Fleet's own statements that change nothing.
        case reading
        /// Fleet's own statements that change something.
        case changing
        /// A statement of the user's, read only, with the search path of its database.
        case foreign
    }

    /// Connects, lends the connection and closes it; what is thrown begins with the activity.
    func with<Result>(
        _ endpoint: Endpoint, within limit: Duration, _ access: Access, _ activity: String,
        _ body: (PostgresConnection, Deadline) async throws -> Result
    ) async throws -> Result {
        let deadline = Deadline.now + limit
        do {
            var parameters = try await parameters(endpoint)
            parameters.settings = settings(access, limit)
            return try await PostgresConnection.with(parameters, deadline: deadline) { connection in
                try await body(connection, deadline)
            }
        } catch {
            throw FleetError(error, activity).during(activity)
        }
    }

    func parameters(_ endpoint: Endpoint) async throws -> ConnectionParameters {
        var parameters = ConnectionParameters(endpoint, password: try await endpoint.password.resolved(resolve))
        parameters.applicationName = applicationName
        return parameters
    }

    private func settings(_ access: Access, _ limit: Duration) -> [String: String] {
        // The server gives up when we do, even if our word does not reach it.
        var settings = ["statement_timeout": "\(max(1, limit.microseconds / 1000))"]
        switch access {
        case .reading:
            settings["default_transaction_read_only"] = "on"
            settings["search_path"] = "pg_catalog"
        case .changing:
            settings["search_path"] = "pg_catalog"
            // A standby that is away must not hold up what makes this server's own WAL durable.
            settings["synchronous_commit"] = "local"
        case .foreign:
            settings["default_transaction_read_only"] = "on"
        }
        return settings
    }

    /// Polls until `condition` is met; throws `timedOut` when it is not met in time.
    func poll(
        until deadline: Deadline, _ waitingFor: String, _ condition: () async throws -> Bool
    ) async throws {
        while try await !condition() {
            guard Deadline.now < deadline else { throw FleetError(.timedOut, "waited in vain until \(waitingFor)") }
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                throw FleetError(.cancelled, "waiting until \(waitingFor)", cause: "cancelled")
            }
        }
    }
}

extension PostgresRow {
    /// A column with microseconds since 1970, as `SQL.microseconds` makes them.
    func timestamp(_ column: String) throws -> Timestamp {
        try value(column) { Int64($0).map { Timestamp(microseconds: $0) } }
    }

    func optionalTimestamp(_ column: String) throws -> Timestamp? {
        self[column] == nil ? nil : try timestamp(column)
    }

    func int(_ column: String) throws -> Int {
        try value(column) { Int($0) }
    }

    func lsn(_ column: String) throws -> LSN {
        try value(column) { LSN($0) }
    }
}

enum SQL {
    /// Microseconds since 1970 of a `timestamptz`, exactly: the rounding of 13's double is undone by the cast.
    static func microseconds(_ expression: String) -> String {
        "(extract(epoch FROM \(expression)) * 1000000)::bigint"
    }

    /// A setting's value; NULL where it does not exist or may not be read, instead of an error.
    static func setting(_ name: String) -> String {
        "(SELECT setting FROM pg_settings WHERE name = '\(name)')"
    }

    static func identifier(_ name: String) -> String {
        "\"\(name.replacing("\"", with: "\"\""))\""
    }
}
