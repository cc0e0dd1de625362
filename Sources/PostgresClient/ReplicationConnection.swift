internal import CLibPQ
public import FleetPluginAPI

/// A connection in physical replication mode (`replication=true`): base backups, WAL, and little else.
///
/// One call at a time. Every call throws `FleetError` as `PostgresConnection` does; after a base backup or WAL stream
/// that was not read to its end the connection can only be closed.
public actor ReplicationConnection {
    let session: Session
    var backup: BaseBackupPhase?
    var isStreaming = false
    /// The stream had nothing to send; `nextWAL` has yet to say so.
    var endOfWAL: WALMessage?

    private init(_ session: Session) {
        self.session = session
    }

    /// Connects as a user with the REPLICATION attribute. The database of the parameters is not used.
    public static func connect(
        _ parameters: ConnectionParameters, deadline: ContinuousClock.Instant
    ) async throws -> ReplicationConnection {
        ReplicationConnection(try await Session.connect(parameters, replication: true, deadline: deadline))
    }

    /// `server_version_num`: 150020; zero once closed.
    public var serverVersion: Int { session.serverVersion }
    public var isOpen: Bool { session.isOpen }
    /// The notices since the last call, the newest hundred at most.
    public func takeNotices() -> [PostgresNotice] { session.takeNotices() }

    /// Closes the connection at once; calls in progress end as `unavailable`.
    public func close() {
        session.closeFromOutside()
    }

    /// Who the server is and how far it has come.
    public func identifySystem(deadline: ContinuousClock.Instant) async throws -> SystemIdentity {
        let row = try await command("IDENTIFY_SYSTEM", deadline: deadline).row()
        return SystemIdentity(
            systemIdentifier: try row.value("systemid", SystemIdentifier.init),
            timeline: try row.value("timeline", TimelineID.init), flushed: try row.value("xlogpos", { LSN($0) }),
            database: row["dbname"])
    }

    /// The value of a server setting: `SHOW name`.
    public func show(_ setting: String, deadline: ContinuousClock.Instant) async throws -> String {
        let result = try await command("SHOW \(SQLText.identifier(setting))", deadline: deadline)
        guard let value = result.value else {
            throw FleetError(.protocolViolation, "SHOW \(setting) at \(session.place)", cause: "the answer is empty")
        }
        return value
    }

    /// The history file of a timeline, byte for byte.
    ///
    /// - Throws: `notFound` where the server does not have it; timeline 1 has none.
    public func timelineHistory(
        _ timeline: TimelineID, deadline: ContinuousClock.Instant
    ) async throws -> (fileName: String, content: [UInt8]) {
        let activity = "TIMELINE_HISTORY \(timeline) at \(session.place)"
        return try await session.exclusively(activity) {
            try await session.sendCommand("TIMELINE_HISTORY \(timeline)", until: deadline, activity)
            let result = try await session.expect(PGRES_TUPLES_OK, until: deadline, activity)
            let name = result.text(0, 0)
            let content = unsafe result.bytes(0, 1) { unsafe [UInt8]($0) }
            while try await session.nextResult(until: deadline, activity) != nil {}
            guard let name, let content else {
                throw FleetError(.protocolViolation, activity, cause: "the answer is empty")
            }
            return (name, content)
        }
    }

    private func command(_ command: String, deadline: ContinuousClock.Instant) async throws -> PostgresResult {
        let results = try await session.execute(command, nil, deadline: deadline, "\(command) at \(session.place)")
        guard let result = results.first else {
            throw FleetError(.protocolViolation, "\(command) at \(session.place)", cause: "the answer is empty")
        }
        return result
    }
}

/// The answer to `IDENTIFY_SYSTEM`.
public struct SystemIdentity: Hashable, Sendable {
    public var systemIdentifier: SystemIdentifier
    public var timeline: TimelineID
    /// End of flushed WAL; of replayed or received WAL on a standby.
    public var flushed: LSN
    /// Nil in physical replication.
    public var database: String?
}
