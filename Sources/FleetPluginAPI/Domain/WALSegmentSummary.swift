/// What one WAL segment holds that a restore cares about, gathered once as the segment passes.
///
/// Commit records stand where they *end* or stop recovery; times are the records' own (`xact_time`), taken by the
/// server's clock before the record was inserted, so they may be out of order by a little.
public struct WALSegmentSummary: Hashable, Sendable, Codable {
    public var systemIdentifier: SystemIdentifier
    /// COMMIT and COMMIT PREPARED records that begin in this segment and could be read whole.
    public var commits: Int
    /// ABORT and ABORT PREPARED records likewise.
    public var aborts: Int
    /// The first and the last transaction end (commit or abort), in WAL order.
    public var first: TransactionEnd?
    public var last: TransactionEnd?
    /// The extremes of commit and abort times.
    public var earliestTime: Timestamp?
    public var latestTime: Timestamp?
    /// The extremes of the transaction numbers that ended here, as 32-bit numbers.
    public var lowestXID: UInt32?
    public var highestXID: UInt32?
    public var restorePoints: [RestorePoint]
    /// Settings that a hot standby must be able to match from here on.
    public var parameterChanges: [RecoveryParameters]
    /// The end of the last whole record; less than the segment's end after a switch or a crash.
    public var endOfRecords: LSN
    /// The first bytes of a record that goes on in the next segment.
    public var unfinished: RecordPart?
    /// The rest of a record that began in the segment before.
    public var continuation: RecordPart?

    public struct TransactionEnd: Hashable, Sendable, Codable {
        /// Where the record begins: recovery that stops *before* it replays up to here.
        public var start: LSN
        /// The first byte after the record.
        public var end: LSN
        public var time: Timestamp
        public var xid: UInt32
        public var isCommit: Bool

        public init(start: LSN, end: LSN, time: Timestamp, xid: UInt32, isCommit: Bool) {
            self.start = start
            self.end = end
            self.time = time
            self.xid = xid
            self.isCommit = isCommit
        }
    }

    public struct RestorePoint: Hashable, Sendable, Codable {
        public var name: String
        public var time: Timestamp
        /// What `pg_create_restore_point` returned: the end of the record.
        public var end: LSN

        public init(name: String, time: Timestamp, end: LSN) {
            self.name = name
            self.time = time
            self.end = end
        }
    }

    /// Bytes of a record on one side of a segment boundary.
    public struct RecordPart: Hashable, Sendable, Codable {
        /// Where the record begins (unfinished), or where the rest begins in its segment (continuation).
        public var lsn: LSN
        /// The bytes, page headers taken out; empty when they were more than the summary keeps (64 KiB).
        public var bytes: [UInt8]
        /// How many bytes there are, kept or not.
        public var length: Int

        public init(lsn: LSN, bytes: [UInt8], length: Int) {
            self.lsn = lsn
            self.bytes = bytes
            self.length = length
        }
    }

    public init(
        systemIdentifier: SystemIdentifier, commits: Int = 0, aborts: Int = 0, first: TransactionEnd? = nil,
        last: TransactionEnd? = nil, earliestTime: Timestamp? = nil, latestTime: Timestamp? = nil,
        lowestXID: UInt32? = nil, highestXID: UInt32? = nil, restorePoints: [RestorePoint] = [],
        parameterChanges: [RecoveryParameters] = [], endOfRecords: LSN, unfinished: RecordPart? = nil,
        continuation: RecordPart? = nil
    ) {
        self.systemIdentifier = systemIdentifier
        self.commits = commits
        self.aborts = aborts
        self.first = first
        self.last = last
        self.earliestTime = earliestTime
        self.latestTime = latestTime
        self.lowestXID = lowestXID
        self.highestXID = highestXID
        self.restorePoints = restorePoints
        self.parameterChanges = parameterChanges
        self.endOfRecords = endOfRecords
        self.unfinished = unfinished
        self.continuation = continuation
    }
}

/// The settings that must be at least as large on a server in recovery as they were on the primary.
///
/// PostgreSQL manual, section 27.4.3 (Hot Standby, administrator's overview).
public struct RecoveryParameters: Hashable, Sendable, Codable {
    public var maxConnections: Int
    public var maxWorkerProcesses: Int
    public var maxWALSenders: Int
    public var maxPreparedTransactions: Int
    public var maxLocksPerTransaction: Int

    public init(
        maxConnections: Int, maxWorkerProcesses: Int, maxWALSenders: Int, maxPreparedTransactions: Int,
        maxLocksPerTransaction: Int
    ) {
        self.maxConnections = maxConnections
        self.maxWorkerProcesses = maxWorkerProcesses
        self.maxWALSenders = maxWALSenders
        self.maxPreparedTransactions = maxPreparedTransactions
        self.maxLocksPerTransaction = maxLocksPerTransaction
    }

    /// The larger of each.
    public func merged(with other: RecoveryParameters) -> RecoveryParameters {
        RecoveryParameters(
            maxConnections: max(maxConnections, other.maxConnections),
            maxWorkerProcesses: max(maxWorkerProcesses, other.maxWorkerProcesses),
            maxWALSenders: max(maxWALSenders, other.maxWALSenders),
            maxPreparedTransactions: max(maxPreparedTransactions, other.maxPreparedTransactions),
            maxLocksPerTransaction: max(maxLocksPerTransaction, other.maxLocksPerTransaction))
    }

    /// As `postgresql.conf` names them.
    public var settings: [(name: String, value: Int)] {
        [
            ("max_connections", maxConnections), ("max_worker_processes", maxWorkerProcesses),
            ("max_wal_senders", maxWALSenders), ("max_prepared_transactions", maxPreparedTransactions),
            ("max_locks_per_transaction", maxLocksPerTransaction),
        ]
    }
}
