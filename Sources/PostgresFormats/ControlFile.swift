public import FleetPluginAPI

/// `global/pg_control` of PostgreSQL 13 to 18, its checksum verified.
///
/// PostgreSQL source: `ControlFileData` in `src/include/catalog/pg_control.h`.
public struct ControlFile: Hashable, Sendable {
    public var systemIdentifier: SystemIdentifier
    /// 1300 (13 to 16), 1700 or 1800.
    public var controlVersion: Int
    public var catalogVersion: Int
    public var state: State
    /// When the file was last written.
    public var time: Timestamp
    public var checkpoint: Checkpoint
    /// Recovery is not consistent before it has come this far; zero when it is not or no longer needed.
    public var minimumRecoveryPoint: LSN
    public var minimumRecoveryTimeline: TimelineID
    /// Not zero while a base backup is being recovered.
    public var backupStart: LSN
    public var backupEnd: LSN
    public var isBackupEndRequired: Bool
    public var walLevel: WALLevel
    public var walLogHints: Bool
    /// What a hot standby must at least have.
    public var parameters: RecoveryParameters
    /// Zero without data checksums.
    public var dataChecksumVersion: Int
    public var blockSize: Int
    public var walBlockSize: Int
    public var walSegmentSize: UInt64

    /// What the server was doing when it last wrote the file. The raw values are PostgreSQL's.
    public enum State: UInt32, Hashable, Sendable, CaseIterable {
        case startingUp
        case shutDown
        case shutDownInRecovery
        case shuttingDown
        case inCrashRecovery
        case inArchiveRecovery
        case inProduction
    }

    public enum WALLevel: UInt32, Hashable, Sendable, CaseIterable {
        case minimal
        case replica
        case logical
    }

    /// The last checkpoint.
    public struct Checkpoint: Hashable, Sendable {
        /// Where its record begins.
        public var location: LSN
        /// Where replay begins.
        public var redo: LSN
        public var timeline: TimelineID
        public var previousTimeline: TimelineID
        public var fullPageWrites: Bool
        /// 64 bits: the epoch in the upper half.
        public var nextTransaction: UInt64
        public var time: Timestamp
    }

    /// The major version of the server, by its catalog version; nil for one that is not a release known here.
    public var majorVersion: Int? {
        [
            202_007_201: 13, 202_107_181: 14, 202_209_061: 15, 202_307_071: 16, 202_406_281: 17, 202_506_291: 18,
        ][catalogVersion]
    }

    public var hasDataChecksums: Bool { dataChecksumVersion != 0 }

    /// Whether the server that wrote it was stopped in order, so that no WAL is needed to start it again.
    public var isCleanlyShutDown: Bool { state == .shutDown || state == .shutDownInRecovery }
}

extension ControlFile.State: CustomStringConvertible {
    /// As `pg_controldata` prints it.
    public var description: String {
        switch self {
        case .startingUp: "starting up"
        case .shutDown: "shut down"
        case .shutDownInRecovery: "shut down in recovery"
        case .shuttingDown: "shutting down"
        case .inCrashRecovery: "in crash recovery"
        case .inArchiveRecovery: "in archive recovery"
        case .inProduction: "in production"
        }
    }
}
