public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    /// Goes by `archive_status`: `pg_stat_archiver` names only the last file, which may be one of another kind.
    public func awaitArchived(_ lsn: LSN, at endpoint: Endpoint, deadline: Duration) async throws {
        try await with(endpoint, within: deadline, .reading, "wait until WAL before \(lsn) is archived") {
            connection, end in
            let first = try await connection.query(Self.archiverQuery, deadline: end).row()
            try Self.requireArchiving(first)
            let size = try first.value("segment_size") { UInt64($0) }
            guard lsn > .zero, let timeline = TimelineID(try first.text("wal_file").prefix(8), radix: 16) else {
                return
            }
            let segment = WALSegmentName(timeline: timeline, containing: LSN(lsn.rawValue - 1), segmentSize: size)
            let failures = try first.int("failed_count")
            try await poll(until: end, "segment \(segment) is archived") {
                let row = try await connection.query(Self.archiverQuery, deadline: end).row()
                let waiting = try await connection.query(Self.waitingQuery, ["\(segment)"], deadline: end).row()
                // Complete segments only are marked for the archiver, before they count as flushed.
                if try row.lsn("flushed") >= segment.end, try waiting.int("files") == 0 { return true }
                if try row.int("failed_count") > failures, let failed = row["last_failed_wal"],
                    failed.prefix(24) <= "\(segment)"
                {
                    throw FleetError(
                        .failed, "the archiver failed with \(failed)",
                        hint: "the server's log has what archive_command said")
                }
                return false
            }
        }
    }

    private static func requireArchiving(_ row: PostgresRow) throws {
        if try row.bool("in_recovery") { throw FleetError(.unsupported, "the server is in recovery") }
        let mode = row["archive_mode"] ?? "off"
        let hasCommand = ["archive_command", "archive_library"].contains { name in
            row[name].map { !$0.isEmpty && $0 != "(disabled)" } ?? false
        }
        guard mode != "off", hasCommand else {
            throw FleetError(
                .unsupported, "the server does not archive",
                cause: mode == "off" ? "archive_mode is off" : "no command",
                hint: "set archive_mode and archive_command")
        }
    }

    private static let archiverQuery = """
        SELECT pg_is_in_recovery() AS in_recovery,
               CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_insert_lsn()) END AS wal_file,
               CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END AS flushed,
               (SELECT bytes_per_wal_segment FROM pg_control_init()) AS segment_size,
               \(SQL.setting("archive_mode")) AS archive_mode,
               \(SQL.setting("archive_command")) AS archive_command,
               \(SQL.setting("archive_library")) AS archive_library,
               failed_count, last_failed_wal
        FROM pg_stat_archiver
        """

    /// Segments up to `$1`, backup labels among them, and history files that the archiver still has to do.
    private static let waitingQuery = """
        SELECT count(*) AS files FROM pg_ls_archive_statusdir()
        WHERE name ~ '^[0-9A-F]{24}.*\\.ready$' AND left(name, 24) COLLATE "C" <= $1
              OR name ~ '^[0-9A-F]{8}\\.history\\.ready$'
        """
}
