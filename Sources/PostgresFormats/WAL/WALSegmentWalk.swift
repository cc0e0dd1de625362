import FleetPluginAPI

/// One pass over one segment's bytes: the state that `WALScanner` carries from segment to segment, and a place.
///
/// Borrows the buffer: not to outlive the scope that lent it.
struct WALSegmentWalk {
    let bytes: UnsafeRawBufferPointer
    let header: WALSegmentHeader
    /// No page may be of a newer timeline.
    let newestTimeline: TimelineID
    var previousRecord: LSN?
    var timeline: TimelineID
    var pending: WALPendingRecord?
    /// Whether nothing was read before this segment.
    let isFirst: Bool
    var continuation: WALSegmentSummary.RecordPart?

    var offset = 0
    var endOfRecords: LSN
    let decoder: WALRecordDecoder
    let tables = crc32cTables

    init(
        bytes: UnsafeRawBufferPointer, header: WALSegmentHeader, newestTimeline: TimelineID, previousRecord: LSN?,
        timeline: TimelineID, pending: WALPendingRecord?, isFirst: Bool
    ) {
        self.bytes = bytes
        self.header = header
        self.newestTimeline = newestTimeline
        self.previousRecord = previousRecord
        self.timeline = timeline
        self.pending = pending
        self.isFirst = isFirst
        endOfRecords = header.start
        decoder = WALRecordDecoder(majorVersion: header.majorVersion ?? 18)
    }

    /// Why a walk ends.
    enum End: Error {
        case stopped(String)
        case switched
        case visitor
    }

    mutating func run(_ visit: (WALEvent) -> WALScanner.Step) -> WALScanner.Outcome {
        do throws(End) {
            while offset < Int(header.segmentSize) {
                try enterPage()
                try readPage(visit)
            }
            return outcome(.full)
        } catch {
            switch error {
            case .stopped(let reason):
                pending = nil
                return outcome(.stopped, reason: reason)
            case .switched:
                return outcome(.switched)
            case .visitor:
                var outcome = outcome(.stopped)
                outcome.isStoppedByVisitor = true
                return outcome
            }
        }
    }

    private func outcome(_ ending: WALSegmentSummary.Ending, reason: String? = nil) -> WALScanner.Outcome {
        WALScanner.Outcome(ending: ending, endOfRecords: endOfRecords, reason: reason)
    }

    var position: LSN { header.start + UInt64(offset) }

    /// Checks the header of the page at `offset`, and passes over it.
    private mutating func enterPage() throws(End) {
        guard bytes.count - offset >= header.blockSize else {
            throw .stopped("the file ends at \(header.start + UInt64(bytes.count))")
        }
        guard let page = WALPageHeader(bytes, at: offset), page.magic == header.magic, page.hasKnownFlags,
            page.isLong == (offset == 0), page.address == position
        else { throw .stopped("no valid page begins at \(position)") }
        guard page.timeline >= max(timeline, 1), page.timeline <= newestTimeline else {
            throw .stopped("the page at \(position) is of timeline \(page.timeline), out of order")
        }
        try enterRecord(of: page)
        timeline = page.timeline
        offset += page.isLong ? WALPageHeader.longSize : WALPageHeader.shortSize
        if offset <= WALPageHeader.longSize, isFirst, page.isContinuation {
            pending = WALPendingRecord(start: position, length: page.remainingLength, isHeadless: true)
        }
    }

    private mutating func enterRecord(of page: WALPageHeader) throws(End) {
        if page.isOverwritten, !page.isContinuation {
            pending = nil
        } else if let pending {
            guard page.isContinuation, page.remainingLength == pending.missing else {
                throw .stopped("the record at \(pending.start) does not go on at \(position)")
            }
        } else if page.isContinuation {
            guard isFirst, offset == 0, WALRecordHeader.lengths.upperBound >= page.remainingLength,
                page.remainingLength > 0
            else { throw .stopped("the page at \(position) continues a record that did not begin") }
        }
    }

    private mutating func readPage(_ visit: (WALEvent) -> WALScanner.Step) throws(End) {
        let end = (offset / header.blockSize + 1) * header.blockSize
        if pending != nil { try continueRecord(before: end, visit) }
        while offset < end { try readRecord(before: end, visit) }
        offset = end
    }
}
