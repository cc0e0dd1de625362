import FleetPluginAPI
import PostgresClient

/// What a backup must know of the server before it begins.
struct ServerFacts: Sendable {
    var identity: SystemIdentity
    /// `server_version_num`
    var version: Int
    var segmentSize: UInt64
    /// Whether it can tell which pages have changed since an older backup (17+).
    var summarizesWAL: Bool

    /// - Throws: `refused` for servers whose backup could never be restored: standbys, and those that do not archive.
    static func read(_ connection: ReplicationConnection, _ request: BackupTaskRequest) async throws -> ServerFacts {
        let deadline = ContinuousClock.now + .seconds(30)
        let identity = try await connection.identifySystem(deadline: deadline)
        let version = await connection.serverVersion
        guard version >= 130_000 else {
            throw FleetError(
                .unsupported, "the server has version \(version)", cause: "fleet backs up PostgreSQL 13 and later")
        }
        // Before 14 there is no setting that says it; transactions are read-only in recovery.
        let recovery = version >= 140_000 ? "in_hot_standby" : "transaction_read_only"
        guard try await connection.show(recovery, deadline: deadline) == "off" else {
            throw FleetError(
                .refused, "the server is a standby", cause: "\(recovery) is on",
                hint: "back up the primary: only it ends a backup's WAL so that it is archived")
        }
        if request.slot == nil {
            try await requireArchiving(connection, version, request.archiveCommand, deadline)
        }
        let size = try await connection.show("wal_segment_size", deadline: deadline)
        guard let segmentSize = bytes(size), segmentSize.nonzeroBitCount == 1 else {
            throw FleetError(.protocolViolation, "the server's wal_segment_size is \(size)")
        }
        let summarizes =
            if version >= 170_000 { try await connection.show("summarize_wal", deadline: deadline) == "on" } else {
                false
            }
        return ServerFacts(
            identity: identity, version: version, segmentSize: segmentSize, summarizesWAL: summarizes)
    }

    private static func requireArchiving(
        _ connection: ReplicationConnection, _ version: Int, _ archiveCommand: String,
        _ deadline: ContinuousClock.Instant
    ) async throws {
        let mode = try await connection.show("archive_mode", deadline: deadline)
        guard mode != "off" else {
            throw FleetError(
                .refused, "the server does not archive its WAL, so a backup of it could not be restored",
                cause: "archive_mode is off",
                hint: "set archive_mode = on and archive_command = '\(quoted(archiveCommand))', and restart the server")
        }
        let command = try await connection.show("archive_command", deadline: deadline)
        let library = version >= 150_000 ? try await connection.show("archive_library", deadline: deadline) : ""
        guard !command.isEmpty && command != "(disabled)" || !library.isEmpty else {
            throw FleetError(
                .refused, "the server does not archive its WAL, so a backup of it could not be restored",
                cause: "archive_command is empty",
                hint: "set archive_command = '\(quoted(archiveCommand))' and reload the server")
        }
    }

    /// PostgreSQL's `16MB`, where units are powers of 1024.
    static func bytes(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [String: UInt64] = ["": 1, "B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30]
        guard let number = UInt64(digits), let unit = units[String(text.dropFirst(digits.count))] else { return nil }
        return number * unit
    }

    private static func quoted(_ command: String) -> String {
        command.replacing("'", with: "''")
    }
}
