public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func preparedTransactions(
        _ endpoint: Endpoint, deadline: Duration
    ) async throws -> [PreparedTransaction] {
        try await with(endpoint, within: deadline, .reading, "list prepared transactions") { connection, end in
            let query = """
                SELECT gid, database, owner, \(SQL.microseconds("prepared")) AS prepared
                FROM pg_prepared_xacts ORDER BY gid
                """
            return try await connection.query(query, deadline: end).rows.map { row in
                PreparedTransaction(
                    identifier: try row.text("gid"), database: try row.text("database"), owner: try row.text("owner"),
                    preparedAt: try row.timestamp("prepared"))
            }
        }
    }

    public func finish(
        _ transaction: PreparedTransaction, commits: Bool, at endpoint: Endpoint, deadline: Duration
    ) async throws {
        var endpoint = endpoint
        endpoint.database = transaction.database
        try await with(endpoint, within: deadline, .changing, "finish a prepared transaction") { connection, end in
            // The grammar takes a literal only; standard strings know no backslash.
            let name = SQLText.literal(transaction.identifier)
            let isLeft = try await connection.query(
                "SELECT 1 AS one FROM pg_prepared_xacts WHERE gid = $1", [transaction.identifier], deadline: end)
            guard !isLeft.rows.isEmpty else { return }
            try await connection.query("SET standard_conforming_strings = on", deadline: end)
            try await connection.simpleQuery(
                "\(commits ? "COMMIT" : "ROLLBACK") PREPARED \(name)", deadline: end)
        }
    }
}
