public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func heartbeat(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN {
        try await with(endpoint, within: deadline, .changing, "heartbeat commit") { connection, end in
            try await requirePrimary(connection, end)
            try await connection.query("SELECT pg_current_xact_id()", deadline: end)
            let row = try await connection.query(Self.insertQuery, deadline: end).row()
            let size = try row.value("segment_size") { UInt64($0) }
            let lsn = Self.endOfRecord(insert: try row.lsn("lsn"), segmentSize: size)
            try await awaitFlushed(lsn, connection, end)
            return lsn
        }
    }

    /// Where the last record ends: the insert position lies behind the header of a page that is not begun yet.
    static func endOfRecord(insert: LSN, segmentSize: UInt64) -> LSN {
        let header: UInt64 = insert.rawValue % segmentSize < 8192 ? 40 : 24
        return insert.rawValue % 8192 == header ? LSN(insert.rawValue - header) : insert
    }

    private static let insertQuery = """
        SELECT pg_current_wal_insert_lsn() AS lsn,
               (SELECT bytes_per_wal_segment FROM pg_control_init()) AS segment_size
        """

    public func switchWAL(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN {
        try await with(endpoint, within: deadline, .changing, "switch WAL") { connection, end in
            try await requirePrimary(connection, end)
            return try await connection.query("SELECT pg_switch_wal() AS lsn", deadline: end).row().lsn("lsn")
        }
    }

    public func createRestorePoint(
        _ name: String, at endpoint: Endpoint, deadline: Duration
    ) async throws -> LSN {
        try await with(endpoint, within: deadline, .changing, "create restore point") { connection, end in
            try await requirePrimary(connection, end)
            let lsn = try await connection.query(
                "SELECT pg_create_restore_point($1) AS lsn", [name], deadline: end
            ).row().lsn("lsn")
            try await awaitFlushed(lsn, connection, end)
            return lsn
        }
    }

    private func requirePrimary(_ connection: PostgresConnection, _ deadline: Deadline) async throws {
        let row = try await connection.query("SELECT pg_is_in_recovery() AS yes", deadline: deadline).row()
        guard try !row.bool("yes") else { throw FleetError(.unsupported, "the server is in recovery") }
    }

    /// Waits for the WAL writer: neither a restore point nor a commit without other WAL is flushed by who makes it
    /// (`xlog.c`, `RecordTransactionCommit` in `xact.c`).
    private func awaitFlushed(_ lsn: LSN, _ connection: PostgresConnection, _ deadline: Deadline) async throws {
        try await poll(until: deadline, "WAL up to \(lsn) is durable") {
            try await connection.query("SELECT pg_current_wal_flush_lsn() AS lsn", deadline: deadline).row()
                .lsn("lsn") >= lsn
        }
    }
}
