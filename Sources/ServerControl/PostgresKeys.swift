public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func keys(
        _ sql: String, database: String, at endpoint: Endpoint, deadline: Duration
    ) async throws -> any KeyReader {
        var endpoint = endpoint
        endpoint.database = database
        var parameters = try await parameters(endpoint)
        parameters.settings = [
            "statement_timeout": "\(max(1, deadline.microseconds / 1000))", "default_transaction_read_only": "on",
        ]
        let end = Deadline.now + deadline
        let connection = try await PostgresConnection.connect(parameters, deadline: end)
        do {
            try await connection.query("BEGIN READ ONLY", deadline: end)
            // The user's text stands on lines of its own, so that a comment at its end hides nothing; one statement only,
            // which the extended protocol sees to.
            let cursor = """
                DECLARE fleet_keys NO SCROLL CURSOR FOR
                SELECT k FROM (SELECT DISTINCT k::text COLLATE "C" AS k FROM (
                \(sql)
                ) AS asked (k) WHERE k IS NOT NULL) AS keys ORDER BY k
                """
            try await connection.query(cursor, deadline: end)
            return PostgresKeys(connection: connection, deadline: end)
        } catch {
            await connection.close()
            throw FleetError(error, "read keys").during("read keys")
        }
    }
}

/// A cursor that is read to its end.
private struct PostgresKeys: KeyReader {
    let connection: PostgresConnection
    let deadline: ContinuousClock.Instant

    func next() async throws -> [String] {
        try await connection.query("FETCH 20000 FROM fleet_keys", deadline: deadline).rows.compactMap {
            $0.values.first ?? nil
        }
    }

    func close() async { await connection.close() }
}
