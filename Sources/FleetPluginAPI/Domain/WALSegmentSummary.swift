/// What one WAL segment holds that a restore cares about, gathered once as the segment passes.
///
/// Commit records stand where they *end* or stop recovery; times are the records' own (`xact_time`), taken by the
/// server's clock before the record was inserted, so they may be out of order by a little.
public struct WALSegmentSummary: Hashable, Sendable, Codable {
    public var systemIdentifier: SystemIdentifier
    /// The PostgreSQL version that wrote the segment, such as 15; nil for one newer than is known.
    public var majorVersion: Int?
    /// COMMIT and COMMIT PREPARED records that begin in this segment and could be read; the one that ends in the next
    /// segment only once the two summaries have been joined.
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
    /// The first byte after the last record that ends in this segment; the segment's first byte when none does.
    public var endOfRecords: LSN
    /// Why no more records follow `endOfRecords`.
    public var ending: Ending
    /// The first bytes of a record that goes on in the next segment.
    public var unfinished: RecordPart?
    /// Bytes at the front of this segment that belong to a record that began in an earlier one.
    public var continuation: RecordPart?

    /// How the records of a segment end.
    public enum Ending: String, Hashable, Sendable, Codable, CaseIterable {
        /// They fill the segment, or the last one goes on in the next.
        case full
        /// `pg_switch_wal`, `archive_timeout` or a shutdown: the next record begins in the next segment.
        case switched
        /// They stop: the server crashed, was promoted or had written no more, or the bytes are damaged.
        /// A segment of this kind has no successor on its timeline.
        case stopped
    }

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
        /// Where the record begins (unfinished), or where its bytes begin in this segment (continuation).
        public var lsn: LSN
        /// The first byte after them in this segment: the end of the segment, or of the record, aligned to eight.
        public var end: LSN
        /// The first of the bytes, page headers taken out: all, when they are 64 KiB or fewer. None when the record is
        /// known to be of a kind that the summary does not describe.
        public var bytes: [UInt8]
        /// How many bytes of the record this segment holds, kept or not.
        public var length: Int
        /// How many more follow in later segments.
        public var missing: Int

        public static let limit = 65_536

        public init(lsn: LSN, end: LSN, bytes: [UInt8], length: Int, missing: Int) {
            self.lsn = lsn
            self.end = end
            self.bytes = bytes
            self.length = length
            self.missing = missing
        }

        private enum CodingKeys: String, CodingKey { case lsn, end, bytes, length, missing }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let text = try container.decode(String.self, forKey: .bytes)
            guard let bytes = Base64.decode(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .bytes, in: container, debugDescription: "not standard base64 with padding")
            }
            self.init(
                lsn: try container.decode(LSN.self, forKey: .lsn),
                end: try container.decode(LSN.self, forKey: .end), bytes: bytes,
                length: try container.decode(Int.self, forKey: .length),
                missing: try container.decode(Int.self, forKey: .missing))
        }

        /// The bytes are written as base64: as an array of numbers they would take three times the room.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(lsn, forKey: .lsn)
            try container.encode(end, forKey: .end)
            try container.encode(Base64.encode(bytes), forKey: .bytes)
            try container.encode(length, forKey: .length)
            try container.encode(missing, forKey: .missing)
        }
    }

    public init(
        systemIdentifier: SystemIdentifier, majorVersion: Int? = nil, commits: Int = 0, aborts: Int = 0,
        first: TransactionEnd? = nil,
        last: TransactionEnd? = nil, earliestTime: Timestamp? = nil, latestTime: Timestamp? = nil,
        lowestXID: UInt32? = nil, highestXID: UInt32? = nil, restorePoints: [RestorePoint] = [],
        parameterChanges: [RecoveryParameters] = [], endOfRecords: LSN, ending: Ending = .full,
        unfinished: RecordPart? = nil, continuation: RecordPart? = nil
    ) {
        self.systemIdentifier = systemIdentifier
        self.majorVersion = majorVersion
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
        self.ending = ending
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
