import FleetCoordinator
import FleetPluginAPI

/// A target as it was resolved, in JSON.
struct TargetView: Hashable, Sendable, Codable {
    /// As `--target` takes it; a relative time is made absolute.
    var requested: String
    /// What recovery is told: `time`, `lsn`, `xid`, `name`, `immediate`, `endOfWAL`.
    var stopKind: String
    var stopValue: String?
    /// Nothing after this position is kept.
    var stopLSN: String?
    var timeline: UInt32
    var backup: BackupView
    /// The WAL that replay reads.
    var wal: WALView
    /// The last commit that is kept.
    var lastKept: CommitView?
    var lost: LostView
    var remarks: [String]

    init(_ target: ResolvedTarget, of instance: String) {
        requested = target.requested.description
        (stopKind, stopValue) = Self.words(target.stop)
        stopLSN = target.stopLSN?.description
        timeline = target.timeline
        backup = BackupView(target.backup, of: instance)
        wal = WALView(
            first: target.firstSegment, last: target.lastSegment, segments: target.segments,
            pending: target.pendingSegments)
        lastKept = target.lastKept.map { CommitView(time: $0.time, lsn: "\($0.end)", xid: $0.xid) }
        lost = LostView(target.lost)
        remarks = target.remarks
    }

    private static func words(_ stop: RecoverySettings.Stop) -> (String, String?) {
        switch stop {
        case .time(let time): ("time", "\(time)")
        case .lsn(let lsn, _): ("lsn", "\(lsn)")
        case .xid(let xid): ("xid", "\(xid)")
        case .name(let name): ("name", name)
        case .immediate: ("immediate", nil)
        case .endOfWAL: ("endOfWAL", nil)
        }
    }
}

/// Segments in JSON, `first` and `last` included.
struct WALView: Hashable, Sendable, Codable {
    var first: String
    var last: String
    var segments: Int
    /// How many are not archived yet.
    var pending: Int
}

/// A commit in JSON.
struct CommitView: Hashable, Sendable, Codable {
    var time: Timestamp
    var lsn: String
    var xid: UInt32
}

/// Commits in JSON that a restore takes away.
struct LostView: Hashable, Sendable, Codable {
    var commits: Int
    var first: Timestamp?
    var last: Timestamp?
    /// Commits after this time are not counted, as the server does not run; absent when all are known.
    var unknownAfter: Timestamp?

    init(_ lost: LostCommits) {
        commits = lost.count
        first = lost.first
        last = lost.last
        unknownAfter = lost.unknownAfter
    }
}
