public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func replay(_ endpoint: Endpoint, deadline: Duration) async throws -> ReplayObservation {
        try await with(endpoint, within: deadline, .reading, "observe replay") { connection, end in
            // Until 13 a requested pause cannot be told from one that is reached.
            let paused =
                await connection.serverVersion >= 140_000
                ? "pg_get_wal_replay_pause_state() = 'paused'" : "pg_is_wal_replay_paused()"
            let row = try await connection.query(Self.replayQuery(paused: paused), deadline: end).row()
            let isInRecovery = try row.bool("in_recovery")
            let timeline =
                if let file = row["wal_file"], let number = UInt32(file.prefix(8), radix: 16) {
                    number
                } else {
                    await replayTimeline(
                        endpoint, otherwise: try row.value("control_timeline", TimelineID.init), until: end)
                }
            return ReplayObservation(
                isInRecovery: isInRecovery, isPaused: try isInRecovery && row.bool("paused"),
                replayedTo: row["replayed"].flatMap { LSN($0) },
                lastTransactionAt: try row.optionalTimestamp("last_transaction"), timeline: timeline)
        }
    }

    public func promote(_ endpoint: Endpoint, deadline: Duration) async throws {
        try await with(endpoint, within: deadline, .reading, "promote") { connection, end in
            let isPrimary = {
                try await !connection.query("SELECT pg_is_in_recovery() AS yes", deadline: end).row().bool("yes")
            }
            if try await isPrimary() { return }
            let told = try await connection.query("SELECT pg_promote(false) AS yes", deadline: end).row().bool("yes")
            guard told else { throw FleetError(.failed, "the server could not tell its startup process to promote") }
            try await poll(until: end, "the server is a primary", isPrimary)
        }
    }

    public func checkpoint(_ endpoint: Endpoint, deadline: Duration) async throws {
        try await with(endpoint, within: deadline, .changing, "checkpoint") { connection, end in
            _ = try await connection.query("CHECKPOINT", deadline: end)
        }
    }

    public func changeSettings(
        _ settings: [String: String?], at endpoint: Endpoint, deadline: Duration
    ) async throws {
        guard !settings.isEmpty else { return }
        try await with(endpoint, within: deadline, .changing, "change settings") { connection, end in
            for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
                let path = name.split(separator: ".").map { SQL.identifier(String($0)) }.joined(separator: ".")
                let change = value.map { "SET \(path) = \(SQLText.literal($0))" } ?? "RESET \(path)"
                try await connection.query("ALTER SYSTEM \(change)", deadline: end)
            }
            try await connection.query("SELECT pg_reload_conf()", deadline: end)
        }
    }

    private static func replayQuery(paused: String) -> String {
        """
        SELECT pg_is_in_recovery() AS in_recovery,
               CASE WHEN pg_is_in_recovery() THEN \(paused) END AS paused,
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END AS replayed,
               CASE WHEN pg_is_in_recovery()
                    THEN \(SQL.microseconds("pg_last_xact_replay_timestamp()")) END AS last_transaction,
               CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_insert_lsn()) END AS wal_file,
               \(controlTimeline) AS control_timeline
        """
    }
}
