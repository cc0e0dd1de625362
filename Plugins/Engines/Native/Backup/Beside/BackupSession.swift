import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// The session that holds a server in backup mode (PostgreSQL manual, section 26.3.3). When it ends, so does the mode.
struct BackupSession: Sendable {
    private let connection: PostgresConnection
    private let version: Int
    let startLSN: LSN

    /// As long as a checkpoint may take.
    private static let patience = Duration.seconds(3600)

    /// Begins with a checkpoint at once.
    static func begin(_ label: String, on connection: PostgresConnection) async throws -> BackupSession {
        let version = await connection.serverVersion
        // What would end a session that has nothing to say for hours.
        var settings = "set statement_timeout = 0"
        if version >= 140_000 { settings += "; set idle_session_timeout = 0" }
        try await connection.simpleQuery(settings, deadline: .now + .seconds(30))
        let sql =
            version >= 150_000
            ? "select pg_backup_start($1, true)::text as lsn"
            : "select pg_start_backup($1, true, false)::text as lsn"
        do {
            let text = try await connection.query(sql, [label], deadline: .now + patience).row().text("lsn")
            guard let lsn = LSN(text) else {
                throw FleetError(.protocolViolation, "the server began a backup at \(text)")
            }
            return BackupSession(connection: connection, version: version, startLSN: lsn)
        } catch let error as FleetError where error.code == .denied {
            let functions = version >= 150_000 ? "pg_backup_start, pg_backup_stop" : "pg_start_backup, pg_stop_backup"
            throw FleetError(
                .denied, "the server's files cannot be backed up", cause: error.message,
                hint: "grant the role execute on \(functions), or let the engine read: stream")
        }
    }

    /// Ends backup mode. Returns where the backup ends, and its `backup_label` byte for byte.
    func end() async throws -> (stopLSN: LSN, label: [UInt8]) {
        let call = version >= 150_000 ? "pg_backup_stop(false)" : "pg_stop_backup(false, false)"
        let row = try await connection.query(
            "select lsn::text as lsn, labelfile from \(call)", deadline: .now + Self.patience
        ).row()
        let text = try row.text("lsn")
        guard let lsn = LSN(text) else { throw FleetError(.protocolViolation, "the server ended a backup at \(text)") }
        return (lsn, Array(try row.text("labelfile").utf8))
    }
}
