/// A backup, as its repository describes it. Only whole, durable backups are listed.
public struct BackupRecord: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case full
        /// Against the last full.
        case diff
        /// Against the last backup of any kind.
        case incr
    }

    /// Unique within its instance and repository; sorts by time.
    public var label: String
    public var kind: Kind
    /// The engine plugin that made it.
    public var engine: String
    /// The repository it lies in, by its name in fleet.yaml.
    public var repository: String
    public var systemIdentifier: SystemIdentifier
    /// `server_version_num` of the server, such as 150020.
    public var serverVersion: Int
    public var timeline: TimelineID
    /// Where replay begins.
    public var startLSN: LSN
    /// Consistency is reached here: no target before it can be restored from this backup.
    public var stopLSN: LSN
    public var startTime: Timestamp
    public var stopTime: Timestamp
    /// Bytes of the data directory and tablespaces.
    public var size: Int64
    /// Bytes this backup added to the repository.
    public var storedSize: Int64
    /// Labels of the backups it cannot be restored without; empty where each backup is complete in itself.
    public var references: [String]
    public var tablespaces: [Tablespace]
    /// What the engine knows to be wrong with it; nil when nothing is.
    public var problem: String?
    /// What keeps it beyond retention; nil when nothing does.
    public var hold: BackupHold?
    /// WAL after its end is not kept: it can be restored to its own end and no further.
    public var isIsolated: Bool?

    public struct Tablespace: Hashable, Sendable, Codable {
        public var oid: UInt32
        public var path: String

        public init(oid: UInt32, path: String) {
            self.oid = oid
            self.path = path
        }
    }

    public init(
        label: String, kind: Kind, engine: String, repository: String, systemIdentifier: SystemIdentifier,
        serverVersion: Int, timeline: TimelineID, startLSN: LSN, stopLSN: LSN, startTime: Timestamp,
        stopTime: Timestamp, size: Int64, storedSize: Int64, references: [String] = [],
        tablespaces: [Tablespace] = [], problem: String? = nil
    ) {
        self.label = label
        self.kind = kind
        self.engine = engine
        self.repository = repository
        self.systemIdentifier = systemIdentifier
        self.serverVersion = serverVersion
        self.timeline = timeline
        self.startLSN = startLSN
        self.stopLSN = stopLSN
        self.startTime = startTime
        self.stopTime = stopTime
        self.size = size
        self.storedSize = storedSize
        self.references = references
        self.tablespaces = tablespaces
        self.problem = problem
    }
}
