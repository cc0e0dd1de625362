public import FleetPluginAPI

/// Walks the records of consecutive WAL segments and reports those that a restore cares about.
///
/// Every record's length, back link and CRC are checked, across pages and across segments. Feed the segments of one
/// path of recovery in order; where the path leaves a timeline, the newer timeline's segment takes the place of the
/// older one's. After an error, or once the visitor has stopped it, the scanner is of no more use.
///
/// PostgreSQL source: `src/backend/access/transam/xlogreader.c`.
public struct WALScanner: Sendable {
    /// What the visitor wants.
    public enum Step: Sendable {
        case proceed
        case stop
    }

    /// How far a segment's records reach.
    public struct Outcome: Hashable, Sendable {
        public var ending: WALSegmentSummary.Ending
        /// The first byte after the last whole record.
        public var endOfRecords: LSN
        /// Why they stop there; nil unless `ending` is `stopped`.
        public var reason: String?
        /// The visitor stopped the scan; `ending` then says nothing.
        public var isStoppedByVisitor = false
    }

    /// The header of the segment scanned last; nil before the first.
    public internal(set) var header: WALSegmentHeader?
    /// How the segment scanned last ended.
    public internal(set) var outcome: Outcome?

    let acceptingNewer: Bool
    /// Where the last whole record begins; nil before the first.
    var previousRecord: LSN?
    /// The newest timeline of the pages so far.
    var timeline: TimelineID = 0
    /// The record that is not yet whole.
    var pending: WALPendingRecord?
    /// What the first page continues from before the first segment fed; nil when it continues nothing.
    var continuation: WALSegmentSummary.RecordPart?

    /// - Parameter acceptingNewer: see `WALSegmentHeader`.
    public init(acceptingNewer: Bool = false) {
        self.acceptingNewer = acceptingNewer
    }

    /// Scans the next segment.
    ///
    /// A record that began in an earlier segment is reported with the positions where it really begins and ends.
    ///
    /// - Parameters:
    ///   - segment: its bytes; fewer than the segment size when it was not written to its end.
    ///   - name: what the file is called, to be checked against its header.
    ///   - visit: called for each event in order.
    /// - Throws: `corrupted` for bytes that are not a segment, or not the one after the segment before; `unsupported`
    ///   for versions that cannot be read. Damage inside a segment is no error: the outcome is `stopped`, as it is at
    ///   the end of what a crashed server wrote.
    @discardableResult
    public mutating func scan(
        _ segment: [UInt8], name: WALSegmentName? = nil, _ visit: (WALEvent) -> Step
    ) throws(FleetError) -> Outcome {
        try segment.span.withUnsafeBytes { (bytes) throws(FleetError) in try scan(bytes, name: name, visit) }
    }

    mutating func scan(
        _ bytes: UnsafeRawBufferPointer, name: WALSegmentName?, _ visit: (WALEvent) -> Step
    ) throws(FleetError) -> Outcome {
        let next = try WALSegmentHeader(bytes, name: name, acceptingNewer: acceptingNewer)
        try checkSuccession(next)
        header = next
        var walk = WALSegmentWalk(
            bytes: bytes, header: next, newestTimeline: name?.timeline ?? .max, previousRecord: previousRecord,
            timeline: timeline, pending: pending, isFirst: outcome == nil)
        let outcome = walk.run(visit)
        previousRecord = walk.previousRecord
        timeline = walk.timeline
        pending = walk.pending
        if self.outcome == nil { continuation = walk.continuation }
        self.outcome = outcome
        return outcome
    }

    private func checkSuccession(_ next: WALSegmentHeader) throws(FleetError) {
        guard let header, let outcome else { return }
        let cause: String? =
            if next.systemIdentifier != header.systemIdentifier {
                "it is of system \(next.systemIdentifier), the segment before it of \(header.systemIdentifier)"
            } else if next.segmentSize != header.segmentSize || next.blockSize != header.blockSize {
                "its pages or segments have another size than those before it"
            } else if next.start != header.name.end {
                "it begins at \(next.start), but the segment before it ends at \(header.name.end)"
            } else if outcome.ending == .stopped || outcome.isStoppedByVisitor {
                "the records before it stop at \(outcome.endOfRecords)"
                    + (outcome.reason.map { ": \($0)" } ?? "")
            } else {
                nil
            }
        if let cause {
            throw FleetError(.corrupted, "WAL segment \(next.name) does not follow the one before it", cause: cause)
        }
    }
}
