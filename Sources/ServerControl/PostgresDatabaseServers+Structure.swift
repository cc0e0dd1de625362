public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func checkStructure(_ endpoint: Endpoint, deadline: Duration) async throws -> StructureReport {
        let end = Deadline.now + deadline
        let databases = try await with(endpoint, within: deadline, .reading, "list databases") { connection, end in
            try await connection.query(
                "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1", deadline: end
            ).rows.map { try $0.text("datname") }
        }
        var report = StructureReport()
        for database in databases {
            var there = endpoint
            there.database = database
            let left = end - Deadline.now
            try await with(there, within: left, .changing, "check \(database)") { connection, end in
                try await Self.check(connection, database, &report, until: end)
            }
        }
        return report
    }

    private static func check(
        _ connection: PostgresConnection, _ database: String, _ report: inout StructureReport, until end: Deadline
    ) async throws {
        let found = try await connection.query(
            "SELECT count(*) > 0 AS yes FROM pg_available_extensions WHERE name = 'amcheck'", deadline: end)
        guard try found.row().bool("yes") else {
            report.unchecked.append("\(database): the server has no amcheck")
            return
        }
        try await connection.query("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA public", deadline: end)
        let place = try await connection.query(
            """
            SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'amcheck'
            """, deadline: end
        ).row().text("schema")
        let checksHeaps = await connection.serverVersion >= 140_000
        for row in try await connection.query(relations, deadline: end).rows {
            let oid = try row.value("oid") { UInt32($0) }
            let name = "\(database): \(try row.text("name"))"
            let isIndex = try row.bool("is_index")
            guard isIndex || checksHeaps else { continue }
            report.relations += 1
            do {
                let sql =
                    isIndex
                    ? "SELECT \(place).bt_index_check(\(oid), heapallindexed => true)::text AS msg"
                    : "SELECT msg FROM \(place).verify_heapam(\(oid)) LIMIT 3"
                for damage in try await connection.query(sql, deadline: end).rows {
                    if let text = damage["msg"], !text.isEmpty { report.findings.append("\(name): \(text)") }
                }
            } catch let error as FleetError where !error.isRetriable && error.code != .cancelled {
                report.findings.append("\(name): \(error.cause ?? error.message)")
            }
        }
    }

    /// B-tree indices and tables with their TOAST tables; nothing temporary, and no index that is not finished.
    private static let relations = """
        SELECT c.oid, c.oid::regclass::text AS name, c.relkind = 'i' AS is_index
        FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_am a ON a.oid = c.relam
        WHERE c.relpersistence <> 't'
          AND (c.relkind = 'i' AND a.amname = 'btree' AND i.indisvalid AND i.indisready
               OR c.relkind IN ('r', 'm', 't') AND a.amname = 'heap')
        ORDER BY 1
        """
}
