public import FleetPluginAPI

/// A record of WAL that a restore cares about.
public struct WALEvent: Hashable, Sendable {
    /// Where the record begins: recovery that stops before it has replayed up to here.
    public var start: LSN
    /// The first byte after the record, aligned to eight: recovery that stops after it has replayed up to here.
    public var end: LSN
    public var kind: Kind

    public enum Kind: Hashable, Sendable {
        /// COMMIT, ABORT, COMMIT PREPARED or ROLLBACK PREPARED; for the latter two `xid` is the prepared transaction's.
        /// Rolled-back subtransactions have aborts of their own, as PostgreSQL counts them too.
        case transactionEnd(xid: UInt32, time: Timestamp, isCommit: Bool, wasPrepared: Bool)
        /// PREPARE TRANSACTION.
        case prepared(xid: UInt32, identifier: String, time: Timestamp)
        case restorePoint(name: String, time: Timestamp)
        case parameters(RecoveryParameters)
        case checkpoint(redo: LSN, timeline: TimelineID, previousTimeline: TimelineID, isShutdown: Bool)
        /// A timeline begins, after a promotion.
        case endOfRecovery(timeline: TimelineID, previousTimeline: TimelineID, time: Timestamp)
        /// The rest of the segment is unused.
        case segmentSwitch
    }

    public init(start: LSN, end: LSN, kind: Kind) {
        self.start = start
        self.end = end
        self.kind = kind
    }
}

extension WALEvent {
    public var transactionEnd: WALSegmentSummary.TransactionEnd? {
        guard case .transactionEnd(let xid, let time, let isCommit, _) = kind else { return nil }
        return WALSegmentSummary.TransactionEnd(start: start, end: end, time: time, xid: xid, isCommit: isCommit)
    }

    public var restorePoint: WALSegmentSummary.RestorePoint? {
        guard case .restorePoint(let name, let time) = kind else { return nil }
        return WALSegmentSummary.RestorePoint(name: name, time: time, end: end)
    }

    public var isCommit: Bool { transactionEnd?.isCommit ?? false }

    /// Whether `recovery_target_time` stops before this record: the first such record ends recovery.
    ///
    /// PostgreSQL source: `recoveryStopsBefore` in `src/backend/access/transam/xlogrecovery.c`.
    public func endsRecovery(toTime time: Timestamp) -> Bool {
        transactionEnd.map { $0.time > time } ?? false
    }

    /// Whether `recovery_target_xid` stops after this record.
    public func endsRecovery(toXID xid: UInt32) -> Bool {
        transactionEnd?.xid == xid
    }

    /// Whether `recovery_target_name` stops after this record.
    public func endsRecovery(toName name: String) -> Bool {
        restorePoint?.name == name
    }
}
