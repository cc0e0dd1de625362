extension PostgresServer {
    /// What psql answers: rows of text, nil for NULL. A witness that shares no code with fleet's own client.
    @discardableResult
    public func query(_ sql: String, database: String = "postgres") async throws -> [[String?]] {
        let null = "\u{1d}"
        let result = try await installation.run(
            "psql",
            [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", "\u{1f}", "-R", "\u{1e}", "-P", "null=\(null)",
                "-h", socketDirectory, "-p", "\(port)", "-U", user, "-d", database, "-c", sql,
            ]
        ).checked()
        var text = Substring(result.text)
        // psql ends its output with a newline where there was a row, an empty one included.
        guard text.last == "\n" else { return [] }
        text = text.dropLast()
        return text.split(separator: "\u{1e}", omittingEmptySubsequences: false).map { row in
            row.split(separator: "\u{1f}", omittingEmptySubsequences: false).map { $0 == null ? nil : String($0) }
        }
    }

    /// The single value of a query that returns one row with one column which is not NULL.
    public func value(_ sql: String, database: String = "postgres") async throws -> String {
        let rows = try await query(sql, database: database)
        guard let value = rows.first?.first, let value else { throw FixtureError("no value from: \(sql)") }
        return value
    }

    /// Runs a program of PostgreSQL's as the owner of the data directory. Where `connects`, it is told this server.
    @discardableResult
    public func run(_ tool: String, _ arguments: [String], connects: Bool = false) async throws -> ToolResult {
        let environment =
            connects ? ["PGHOST": socketDirectory, "PGPORT": "\(port)", "PGUSER": user, "PGDATABASE": "postgres"] : [:]
        return try await installation.run(tool, arguments, environment: environment)
    }

    /// A field of `pg_controldata`, by its English name.
    public func controlData(_ field: String) async throws -> String {
        let text = try await run("pg_controldata", [dataDirectory]).checked().text
        for line in text.split(separator: "\n") where line.hasPrefix("\(field):") {
            return String(line.dropFirst(field.count + 1).drop { $0 == " " })
        }
        throw FixtureError("pg_controldata says nothing of \(field)")
    }
}
