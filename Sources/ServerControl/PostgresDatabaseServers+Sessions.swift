public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    /// - Throws: `denied` for a user who does not see other users' sessions: to him nobody would seem connected.
    public func sessions(_ endpoint: Endpoint, deadline: Duration) async throws -> [ServerSession] {
        try await with(endpoint, within: deadline, .reading, "list sessions") { connection, end in
            let seesAll = try await connection.query(
                "SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS yes", deadline: end)
            guard try seesAll.row().bool("yes") else {
                throw FleetError(
                    .denied, "user \(endpoint.user) does not see the sessions of other users",
                    hint: "GRANT pg_monitor TO \(endpoint.user)")
            }
            return try await connection.query(Self.sessionsQuery, [applicationName], deadline: end).rows.map { row in
                ServerSession(
                    pid: try row.value("pid") { Int32($0) }, database: row["database"], user: row["user"],
                    application: row["application"] ?? "", client: try row.text("client"),
                    state: row["state"] ?? "unknown", startedAt: try row.timestamp("started"))
            }
        }
    }

    public func terminate(
        _ sessions: [ServerSession], at endpoint: Endpoint, deadline: Duration
    ) async throws -> Int {
        guard !sessions.isEmpty else { return 0 }
        return try await with(endpoint, within: deadline, .reading, "terminate sessions") { connection, end in
            let pids = sessions.map { "\($0.pid)" }.joined(separator: ",")
            let starts = sessions.map { "\($0.startedAt.microseconds)" }.joined(separator: ",")
            return try await connection.query(Self.terminateQuery, ["{\(pids)}", "{\(starts)}"], deadline: end)
                .row().int("told")
        }
    }

    private static let sessionsQuery = """
        SELECT pid, datname AS database, usename AS user, application_name AS application,
               coalesce(host(client_addr), 'local') AS client, state,
               \(SQL.microseconds("backend_start")) AS started
        FROM pg_stat_activity
        WHERE backend_type IN ('client backend', 'walsender') AND pid <> pg_backend_pid()
              AND NOT (application_name = $1 AND usename = current_user)
        ORDER BY backend_start, pid
        """

    /// A pid that another session has by now has another start, and is left alone.
    private static let terminateQuery = """
        SELECT count(*) FILTER (WHERE told) AS told
        FROM (SELECT pg_terminate_backend(a.pid) AS told
              FROM pg_stat_activity a
              JOIN unnest($1::int[], $2::bigint[]) AS s (pid, started)
                ON a.pid = s.pid AND \(SQL.microseconds("a.backend_start")) = s.started) AS t
        """
}
