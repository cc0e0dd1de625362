/// What fleet does to PostgreSQL servers over SQL: each a named operation with a deadline of its own.
///
/// Works with PostgreSQL 13 to 18. Errors: `unavailable`, `timedOut`, `denied`, `notFound` (database), `unsupported`.
public protocol DatabaseServers: Sendable {
    func observe(_ endpoint: Endpoint, deadline: Duration) async throws -> ServerObservation

    /// Client sessions other than fleet's own, in every database; replication connections included.
    func sessions(_ endpoint: Endpoint, deadline: Duration) async throws -> [ServerSession]
    /// Ends these sessions; the ones that are gone already are no error. Returns how many were told to end.
    func terminate(_ sessions: [ServerSession], at endpoint: Endpoint, deadline: Duration) async throws -> Int

    /// A commit that writes nothing else, so that WAL says how far time has come. Returns where it ends.
    func heartbeat(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN
    /// Writes out everything at once. A server that was promoted is only then on its new timeline for those who read its
    /// control file.
    ///
    /// - Throws: also `denied` for a role that may not (up to 14 a superuser must ask, then a member of `pg_checkpoint`).
    func checkpoint(_ endpoint: Endpoint, deadline: Duration) async throws
    /// Makes the current segment ready for archiving. Returns the end of what was written to it.
    func switchWAL(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN
    /// Waits until the archiver has archived everything before `lsn`.
    ///
    /// - Throws: `failed` at once when the archiver reports a new failure for a segment before it.
    func awaitArchived(_ lsn: LSN, at endpoint: Endpoint, deadline: Duration) async throws
    /// Makes a named restore point. Returns the end of its record.
    func createRestorePoint(_ name: String, at endpoint: Endpoint, deadline: Duration) async throws -> LSN

    func replay(_ endpoint: Endpoint, deadline: Duration) async throws -> ReplayObservation
    /// Ends recovery and waits until the server is a primary. Done as well when it is one.
    func promote(_ endpoint: Endpoint, deadline: Duration) async throws
    /// Writes settings into `postgresql.auto.conf` (`ALTER SYSTEM`), removes those whose value is nil, and reloads. A
    /// server in recovery takes it as well.
    func changeSettings(_ settings: [String: String?], at endpoint: Endpoint, deadline: Duration) async throws

    /// Asks a check's statement, read only, in its database.
    func check(_ check: DataCheck, at endpoint: Endpoint, deadline: Duration) async throws -> DataCheckResult

    /// Looks for damage in every table and B-tree index of every database, with `amcheck`, which is installed where it is
    /// not: for copies.
    func checkStructure(_ endpoint: Endpoint, deadline: Duration) async throws -> StructureReport

    /// Carries out a mask's statement in its database, in a transaction of its own. Returns how many rows it changed.
    ///
    /// - Throws: also `failed` with what the server says of the statement.
    func mask(_ mask: DataMask, at endpoint: Endpoint, deadline: Duration) async throws -> Int

    /// A session of its own in a database, to hold writers and make marks.
    ///
    /// - Throws: also `refused` when what answers is not the server itself but something in between.
    func fence(_ endpoint: Endpoint, database: String, deadline: Duration) async throws -> any FenceSession
    /// The first column of a query of the user's, read only, as text, sorted by bytes, without NULL and what is double.
    /// It is read in parts: any number of keys needs no more memory than one part.
    func keys(
        _ sql: String, database: String, at endpoint: Endpoint, deadline: Duration
    ) async throws -> any KeyReader

    func preparedTransactions(_ endpoint: Endpoint, deadline: Duration) async throws -> [PreparedTransaction]
    /// Commits or rolls back what was prepared; one that is finished already is no error.
    func finish(
        _ transaction: PreparedTransaction, commits: Bool, at endpoint: Endpoint, deadline: Duration
    ) async throws

    /// WAL from `start` (a segment's beginning) to what is flushed now, over the replication protocol, in pieces and
    /// in order; changes nothing on the server.
    func readWAL(
        from start: LSN, timeline: TimelineID, at endpoint: Endpoint, deadline: Duration,
        _ receive: (_ position: LSN, _ bytes: [UInt8]) throws -> Void
    ) async throws
}

/// What was looked at for damage, and what was found.
public struct StructureReport: Hashable, Sendable, Codable {
    /// Tables and indices.
    public var relations = 0
    /// Each a relation and what is wrong with it.
    public var findings: [String] = []
    /// Databases that could not be looked at, and why.
    public var unchecked: [String] = []

    public init() {}
}

/// Reads keys, part by part.
public protocol KeyReader: Sendable {
    /// The next ones, in order; empty at the end.
    func next() async throws -> [String]
    func close() async
}

public struct ServerObservation: Hashable, Sendable, Codable {
    /// `server_version_num`: 150020.
    public var version: Int
    public var systemIdentifier: SystemIdentifier
    public var timeline: TimelineID
    /// The end of written WAL on a primary, of replayed WAL in recovery.
    public var lsn: LSN
    public var isInRecovery: Bool
    public var startedAt: Timestamp
    /// The server's clock when it answered.
    public var clock: Timestamp
    public var databases: [Database]
    /// Bytes of all databases.
    public var size: Int64
    public var dataDirectory: String?
    public var hasDataChecksums: Bool
    public var walSegmentSize: UInt64
    public var tablespaces: [BackupRecord.Tablespace]
    public var archiving: Archiving
    public var preparedTransactions: Int
    public var parameters: RecoveryParameters
    /// Physical ones.
    public var slots: [ReplicationSlot]

    /// `pg_replication_slots`: what the server keeps WAL for.
    public struct ReplicationSlot: Hashable, Sendable, Codable {
        public var name: String
        public var isActive: Bool
        /// WAL from here on is kept; nil while it was never used.
        public var restartLSN: LSN?
        /// `reserved`, `extended`, `unreserved`, `lost`.
        public var walStatus: String?

        public init(name: String, isActive: Bool, restartLSN: LSN?, walStatus: String?) {
            self.name = name
            self.isActive = isActive
            self.restartLSN = restartLSN
            self.walStatus = walStatus
        }
    }

    public struct Database: Hashable, Sendable, Codable {
        public var name: String
        public var size: Int64

        public init(name: String, size: Int64) {
            self.name = name
            self.size = size
        }
    }

    /// `pg_stat_archiver` and the settings around it.
    public struct Archiving: Hashable, Sendable, Codable {
        /// `off`, `on`, `always`.
        public var mode: String
        public var command: String
        public var archivedCount: Int
        public var lastArchived: String?
        public var lastArchivedAt: Timestamp?
        public var failedCount: Int
        public var lastFailed: String?
        public var lastFailedAt: Timestamp?

        public init(
            mode: String, command: String, archivedCount: Int, lastArchived: String?, lastArchivedAt: Timestamp?,
            failedCount: Int, lastFailed: String?, lastFailedAt: Timestamp?
        ) {
            self.mode = mode
            self.command = command
            self.archivedCount = archivedCount
            self.lastArchived = lastArchived
            self.lastArchivedAt = lastArchivedAt
            self.failedCount = failedCount
            self.lastFailed = lastFailed
            self.lastFailedAt = lastFailedAt
        }

        /// The last attempt failed and nothing succeeded since.
        public var isFailing: Bool {
            guard let lastFailedAt else { return false }
            return lastArchivedAt.map { $0 < lastFailedAt } ?? true
        }
    }

    public init(
        version: Int, systemIdentifier: SystemIdentifier, timeline: TimelineID, lsn: LSN, isInRecovery: Bool,
        startedAt: Timestamp, clock: Timestamp, databases: [Database], size: Int64, dataDirectory: String?,
        hasDataChecksums: Bool, walSegmentSize: UInt64, tablespaces: [BackupRecord.Tablespace],
        archiving: Archiving, preparedTransactions: Int, parameters: RecoveryParameters,
        slots: [ReplicationSlot] = []
    ) {
        self.version = version
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.lsn = lsn
        self.isInRecovery = isInRecovery
        self.startedAt = startedAt
        self.clock = clock
        self.databases = databases
        self.size = size
        self.dataDirectory = dataDirectory
        self.hasDataChecksums = hasDataChecksums
        self.walSegmentSize = walSegmentSize
        self.tablespaces = tablespaces
        self.archiving = archiving
        self.preparedTransactions = preparedTransactions
        self.parameters = parameters
        self.slots = slots
    }
}

public struct ServerSession: Hashable, Sendable, Codable {
    public var pid: Int32
    /// Nil for replication.
    public var database: String?
    public var user: String?
    public var application: String
    /// Address, or `local`.
    public var client: String
    public var state: String
    /// When the session began; a pid with another start is another session.
    public var startedAt: Timestamp

    public init(
        pid: Int32, database: String?, user: String?, application: String, client: String, state: String,
        startedAt: Timestamp
    ) {
        self.pid = pid
        self.database = database
        self.user = user
        self.application = application
        self.client = client
        self.state = state
        self.startedAt = startedAt
    }
}

public struct ReplayObservation: Hashable, Sendable, Codable {
    public var isInRecovery: Bool
    /// Paused at the target; false while a pause is only requested.
    public var isPaused: Bool
    public var replayedTo: LSN?
    /// Commit or abort time of the last transaction replayed.
    public var lastTransactionAt: Timestamp?
    public var timeline: TimelineID

    public init(
        isInRecovery: Bool, isPaused: Bool, replayedTo: LSN?, lastTransactionAt: Timestamp?, timeline: TimelineID
    ) {
        self.isInRecovery = isInRecovery
        self.isPaused = isPaused
        self.replayedTo = replayedTo
        self.lastTransactionAt = lastTransactionAt
        self.timeline = timeline
    }
}
