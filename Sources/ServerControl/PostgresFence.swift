public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func fence(
        _ endpoint: Endpoint, database: String, deadline: Duration
    ) async throws -> any FenceSession {
        var endpoint = endpoint
        endpoint.database = database
        var parameters = try await parameters(endpoint)
        parameters.settings = ["search_path": "public, pg_catalog"]
        let end = Deadline.now + deadline
        let connection = try await PostgresConnection.connect(parameters, deadline: end)
        do {
            // A pooler hands out numbers of its own, and may give each statement another backend.
            let pid = try await connection.query("SELECT pg_backend_pid() AS pid", deadline: end).row()
                .value("pid") { Int32($0) }
            guard await connection.backendPID == pid else {
                throw FleetError(
                    .refused, "\(endpoint.host):\(endpoint.port) is a pooler and not the server itself",
                    cause: "its process number is not that of the backend that answers",
                    hint: "give the instance a connection: that leads to the server")
            }
            return PostgresFence(connection: connection)
        } catch {
            await connection.close()
            throw error
        }
    }
}

/// A connection that holds writers; see `FenceSession`.
struct PostgresFence: FenceSession {
    let connection: PostgresConnection

    /// For what does not wait for others.
    private static let limit = Duration.seconds(10)

    func facts(_ hold: FenceHold?) async throws -> FenceFacts {
        let row = try await connection.query(Self.factsQuery, deadline: .now + Self.limit).row()
        var denied: [String] = []
        if case .tables(let tables) = hold {
            for table in tables {
                let sql = await connection.serverVersion >= 170_000 ? Self.maintainQuery : Self.writeQuery
                let may = try await connection.query(sql, [table], deadline: .now + Self.limit).row().bool("may")
                if !may { denied.append(table) }
            }
        }
        return FenceFacts(
            systemIdentifier: try row.value("system_identifier") { SystemIdentifier($0) },
            timeline: try row.value("timeline") { UInt32($0, radix: 16) },
            isInRecovery: try row.bool("is_in_recovery"), startedAt: try row.timestamp("started_at"),
            preparedTransactions: try row.value("prepared") { Int($0) },
            oldestWriter: row["oldest_writer"].flatMap { Double($0) }.map { .seconds($0) }, deniedTables: denied,
            mayMark: try row.bool("may_mark"))
    }

    // A primary's own timeline is the one of the segment it writes; in recovery there is none.
    private static let factsQuery = """
        SELECT (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
               CASE WHEN pg_is_in_recovery() THEN '00000001'
                    ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END AS timeline,
               pg_is_in_recovery() AS is_in_recovery, \(SQL.microseconds("pg_postmaster_start_time()")) AS started_at,
               (SELECT count(*) FROM pg_prepared_xacts) AS prepared,
               (SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity
                WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()) AS oldest_writer,
               has_function_privilege('pg_create_restore_point(text)', 'EXECUTE') AS may_mark
        """

    // What LOCK TABLE … IN SHARE MODE asks for (lockcmds.c, LockTableAclCheck).
    private static let writeQuery = """
        SELECT has_table_privilege($1, 'UPDATE') OR has_table_privilege($1, 'DELETE')
            OR has_table_privilege($1, 'TRUNCATE') AS may
        """
    private static let maintainQuery = """
        SELECT has_table_privilege($1, 'UPDATE') OR has_table_privilege($1, 'DELETE')
            OR has_table_privilege($1, 'TRUNCATE') OR has_table_privilege($1, 'MAINTAIN') AS may
        """

    func clock() async throws -> Timestamp {
        try await connection.query(
            "SELECT \(SQL.microseconds("clock_timestamp()")) AS now", deadline: .now + Self.limit
        ).row().timestamp("now")
    }

    func hold(_ hold: FenceHold, patience: Duration, idleLimit: Duration) async throws -> LSN {
        let text =
            Self.begin(hold, patience, idleLimit).joined(separator: "; ")
            + "; SELECT pg_current_wal_insert_lsn() AS lsn"
        return try await lsn(of: text, patience, hold)
    }

    func holdAndMark(_ hold: FenceHold, _ name: String, patience: Duration) async throws -> LSN {
        let text =
            Self.begin(hold, patience, nil).joined(separator: "; ")
            + "; SELECT pg_create_restore_point(\(SQLText.literal(name))) AS lsn; ROLLBACK"
        return try await lsn(of: text, patience, hold)
    }

    func mark(_ name: String) async throws -> LSN {
        // A savepoint is refused outside a transaction: then the server has let go by itself.
        let text = """
            SAVEPOINT held; SELECT pg_create_restore_point(\(SQLText.literal(name))) AS lsn; ROLLBACK
            """
        let results = try await connection.simpleQuery(text, deadline: .now + Self.limit)
        return try Self.position(results)
    }

    func point(_ name: String) async throws -> LSN {
        try await connection.query(
            "SELECT pg_create_restore_point($1) AS lsn", [name], deadline: .now + Self.limit
        ).row().lsn("lsn")
    }

    func release() async throws {
        _ = try await connection.simpleQuery("ROLLBACK", deadline: .now + Self.limit)
    }

    func close() async { await connection.close() }

    /// - Parameter limit: for the statements themselves, so that a fence that is never heard of again ends.
    private static func begin(_ hold: FenceHold, _ patience: Duration, _ limit: Duration?) -> [String] {
        var statements = ["BEGIN", "SET LOCAL lock_timeout = '\(milliseconds(patience))ms'"]
        if let limit {
            statements.append("SET LOCAL idle_in_transaction_session_timeout = '\(milliseconds(limit))ms'")
        }
        switch hold {
        // One statement each: the order is the one that is asked for.
        case .tables(let tables): statements += tables.map { "LOCK TABLE \($0) IN SHARE MODE" }
        case .advisory(let first, let second): statements.append("SELECT pg_advisory_xact_lock(\(first), \(second))")
        }
        return statements
    }

    private func lsn(of text: String, _ patience: Duration, _ hold: FenceHold) async throws -> LSN {
        let locks = if case .tables(let tables) = hold { max(1, tables.count) } else { 1 }
        return try Self.position(
            await connection.simpleQuery(text, deadline: .now + Self.limit + patience * locks))
    }

    private static func position(_ results: [PostgresResult]) throws -> LSN {
        guard let text = results.last(where: { $0.columns == ["lsn"] })?.value, let lsn = LSN(text) else {
            throw FleetError(.protocolViolation, "the server does not say where the restore point is")
        }
        return lsn
    }

    private static func milliseconds(_ duration: Duration) -> Int64 { max(1, duration.microseconds / 1000) }
}
