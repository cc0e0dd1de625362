import FleetPluginAPI

/// A backup in JSON.
struct BackupView: Hashable, Sendable, Codable {
    var instance: String
    var label: String
    /// `full`, `diff`, `incr`.
    var kind: String
    var engine: String
    var repository: String
    /// A string: it exceeds what a JSON number holds.
    var systemIdentifier: String
    /// `15.14`
    var serverVersion: String
    var timeline: UInt32
    var startLSN: String
    var stopLSN: String
    var startTime: Timestamp
    var stopTime: Timestamp
    /// Bytes of the data.
    var size: Int64
    /// Bytes that it added to the repository.
    var storedSize: Int64
    var references: [String]
    var tablespaces: [BackupRecord.Tablespace]
    var problem: String?
    /// What keeps it beyond retention: `reason`, `holder`, `since`, `until`.
    var hold: BackupHold?
    /// WAL after its end is not kept.
    var isIsolated: Bool?

    init(_ backup: BackupRecord, of instance: String) {
        self.instance = instance
        label = backup.label
        kind = backup.kind.rawValue
        engine = backup.engine
        repository = backup.repository
        systemIdentifier = "\(backup.systemIdentifier)"
        serverVersion = ServerVersion.text(backup.serverVersion)
        timeline = backup.timeline
        startLSN = "\(backup.startLSN)"
        stopLSN = "\(backup.stopLSN)"
        startTime = backup.startTime
        stopTime = backup.stopTime
        size = backup.size
        storedSize = backup.storedSize
        references = backup.references
        tablespaces = backup.tablespaces
        problem = backup.problem
        hold = backup.hold
        isIsolated = backup.isIsolated
    }
}

/// PostgreSQL's `server_version_num` as people write it.
enum ServerVersion {
    /// `15.14` for 150014.
    static func text(_ number: Int) -> String {
        "\(number / 10_000).\(number % 10_000)"
    }
}
