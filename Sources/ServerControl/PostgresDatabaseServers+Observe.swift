public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func observe(_ endpoint: Endpoint, deadline: Duration) async throws -> ServerObservation {
        try await with(endpoint, within: deadline, .reading, "observe the server") { connection, end in
            let server = try await connection.query(Self.serverQuery, deadline: end).row()
            let databases = try await connection.query(Self.databasesQuery, deadline: end).rows
            let tablespaces = try await connection.query(Self.tablespacesQuery, deadline: end).rows
            let slots = try await connection.query(Self.slotsQuery, deadline: end).rows
            let isInRecovery = try server.bool("in_recovery")
            let timeline =
                if let file = server["wal_file"], let number = UInt32(file.prefix(8), radix: 16) {
                    number
                } else {
                    await replayTimeline(
                        endpoint, otherwise: try server.value("control_timeline", TimelineID.init), until: end)
                }
            return ServerObservation(
                version: await connection.serverVersion,
                systemIdentifier: try server.value("system_identifier", SystemIdentifier.init),
                timeline: timeline, lsn: try server.lsn("lsn"), isInRecovery: isInRecovery,
                startedAt: try server.timestamp("started"), clock: try server.timestamp("clock"),
                databases: try databases.filter { try $0.bool("is_listed") }.map {
                    .init(name: try $0.text("name"), size: try $0.value("size") { Int64($0) })
                },
                size: try databases.reduce(0) { try $0 + $1.value("size") { Int64($0) } },
                dataDirectory: server["data_directory"],
                hasDataChecksums: server["data_checksums"] == "on",
                walSegmentSize: try server.value("segment_size") { UInt64($0) },
                tablespaces: try tablespaces.map {
                    .init(oid: try $0.value("oid") { UInt32($0) }, path: try $0.text("path"))
                },
                archiving: try Self.archiving(server),
                preparedTransactions: try server.int("prepared"),
                parameters: RecoveryParameters(
                    maxConnections: try server.int("max_connections"),
                    maxWorkerProcesses: try server.int("max_worker_processes"),
                    maxWALSenders: try server.int("max_wal_senders"),
                    maxPreparedTransactions: try server.int("max_prepared_transactions"),
                    maxLocksPerTransaction: try server.int("max_locks_per_transaction")),
                slots: try slots.map {
                    .init(
                        name: try $0.text("slot_name"), isActive: try $0.bool("active"),
                        restartLSN: $0["restart_lsn"].flatMap { LSN($0) }, walStatus: $0["wal_status"])
                })
        }
    }

    /// The timeline that is replayed. Only the replication protocol says it; without the right to use that, the
    /// timeline of the last restart point, which may lag behind.
    func replayTimeline(
        _ endpoint: Endpoint, otherwise: TimelineID, until deadline: Deadline
    ) async -> TimelineID {
        do {
            let connection = try await ReplicationConnection.connect(await parameters(endpoint), deadline: deadline)
            let identity = try? await connection.identifySystem(deadline: deadline)
            await connection.close()
            return identity?.timeline ?? otherwise
        } catch {
            return otherwise
        }
    }

    private static func archiving(_ row: PostgresRow) throws -> ServerObservation.Archiving {
        let command = row["archive_command"].flatMap { $0.isEmpty || $0 == "(disabled)" ? nil : $0 }
        return ServerObservation.Archiving(
            mode: row["archive_mode"] ?? "off", command: command ?? row["archive_library"] ?? "",
            archivedCount: try row.int("archived_count"), lastArchived: row["last_archived_wal"],
            lastArchivedAt: try row.optionalTimestamp("last_archived"), failedCount: try row.int("failed_count"),
            lastFailed: row["last_failed_wal"], lastFailedAt: try row.optionalTimestamp("last_failed"))
    }

    static let controlTimeline = """
        greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                 (SELECT min_recovery_end_timeline FROM pg_control_recovery()))
        """

    private static let serverQuery = """
        SELECT (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
               (SELECT bytes_per_wal_segment FROM pg_control_init()) AS segment_size,
               \(controlTimeline) AS control_timeline,
               pg_is_in_recovery() AS in_recovery,
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn,
               CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_insert_lsn()) END AS wal_file,
               \(SQL.microseconds("pg_postmaster_start_time()")) AS started,
               \(SQL.microseconds("clock_timestamp()")) AS clock,
               \(SQL.setting("data_directory")) AS data_directory,
               \(SQL.setting("data_checksums")) AS data_checksums,
               \(SQL.setting("archive_mode")) AS archive_mode,
               \(SQL.setting("archive_command")) AS archive_command,
               \(SQL.setting("archive_library")) AS archive_library,
               \(SQL.setting("max_connections")) AS max_connections,
               \(SQL.setting("max_worker_processes")) AS max_worker_processes,
               \(SQL.setting("max_wal_senders")) AS max_wal_senders,
               \(SQL.setting("max_prepared_transactions")) AS max_prepared_transactions,
               \(SQL.setting("max_locks_per_transaction")) AS max_locks_per_transaction,
               (SELECT count(*) FROM pg_prepared_xacts) AS prepared,
               archived_count, last_archived_wal, failed_count, last_failed_wal,
               \(SQL.microseconds("last_archived_time")) AS last_archived,
               \(SQL.microseconds("last_failed_time")) AS last_failed
        FROM pg_stat_archiver
        """

    /// Databases that may not be connected to have no size for an unprivileged user.
    private static let databasesQuery = """
        SELECT datname AS name, NOT datistemplate AS is_listed,
               CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                    THEN coalesce(pg_database_size(oid), 0) ELSE 0 END AS size
        FROM pg_database ORDER BY datname
        """

    private static let slotsQuery = """
        SELECT slot_name, active, restart_lsn, wal_status FROM pg_replication_slots WHERE slot_type = 'physical'
        ORDER BY slot_name
        """

    private static let tablespacesQuery = """
        SELECT oid, pg_tablespace_location(oid) AS path FROM pg_tablespace
        WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY oid
        """
}
