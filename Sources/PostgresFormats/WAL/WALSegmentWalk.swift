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

    private var offset = 0
    private var endOfRecords: LSN
    private let decoder: WALRecordDecoder
    private let tables = crc32cTables

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
    private enum End: Error {
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

    private var position: LSN { header.start + UInt64(offset) }

    // MARK: Pages

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

    // MARK: Records

    /// Reads the record at `offset`, or as much of it as the page holds.
    @inline(__always)
    private mutating func readRecord(before end: Int, _ visit: (WALEvent) -> WALScanner.Step) throws(End) {
        // Records begin on multiples of eight, so that their length never crosses a page.
        guard let base = bytes.baseAddress?.advanced(by: offset) else { throw .stopped("no bytes") }
        let length = Int(UInt32(littleEndian: base.loadUnaligned(as: UInt32.self)))
        guard WALRecordHeader.lengths.contains(length) else {
            throw .stopped(
                length == 0 ? "no record begins at \(position)" : "the record at \(position) claims \(length) bytes")
        }
        guard length <= end - offset else {
            pending = WALPendingRecord(start: position, length: length, isHeadless: false)
            return try continueRecord(before: end, visit)
        }
        let record = WALRecordHeader(base)
        try check(record, at: position)
        var crc = crc32c(
            0xFFFF_FFFF, base + WALRecordHeader.size, length - WALRecordHeader.size, tables: tables)
        crc = crc32c(crc, base, 20, tables: tables)
        guard ~crc == record.crc else { throw .stopped("the record at \(position) has a wrong checksum") }
        let start = position
        offset += (length + 7) & ~7
        previousRecord = start
        endOfRecords = position
        if record.isOfInterest {
            try report(UnsafeRawBufferPointer(start: base, count: length), length, record, start: start, visit)
        }
    }

    /// Takes what this page holds of the pending record.
    private mutating func continueRecord(before end: Int, _ visit: (WALEvent) -> WALScanner.Step) throws(End) {
        guard var record = pending else { return }
        // Not to be copied when it grows.
        pending = nil
        let count = min(record.missing, end - offset)
        let hadHeader = record.header != nil
        record.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), tables: tables)
        if !hadHeader, let header = record.header { try check(header, at: record.start) }
        offset += count
        if record.isHeadless, record.missing == 0 || offset == Int(header.segmentSize) {
            continuation = record.part(endingAt: header.start + UInt64((offset + 7) & ~7))
        }
        guard record.missing == 0 else {
            pending = record
            return
        }
        try finish(record, visit)
    }

    private mutating func finish(
        _ record: WALPendingRecord, _ visit: (WALEvent) -> WALScanner.Step
    ) throws(End) {
        guard record.isIntact(tables: tables) else {
            throw .stopped("the record at \(record.start) has a wrong checksum")
        }
        offset = (offset + 7) & ~7
        endOfRecords = position
        guard let header = record.header else { return }
        previousRecord = record.start
        guard header.isOfInterest else { return }
        try record.bytes.span.withUnsafeBytes { (bytes) throws(End) in
            try report(bytes, record.totalLength, header, start: record.start, visit)
        }
    }

    @inline(__always)
    private func check(_ record: WALRecordHeader, at start: LSN) throws(End) {
        guard previousRecord.map({ record.previous == $0 }) ?? (record.previous < start) else {
            throw .stopped("the record at \(start) does not follow the one before it")
        }
    }

    private func report(
        _ bytes: UnsafeRawBufferPointer, _ length: Int, _ record: WALRecordHeader, start: LSN,
        _ visit: (WALEvent) -> WALScanner.Step
    ) throws(End) {
        guard let event = decoder.decode(bytes, length: length, start: start, end: position) else {
            throw .stopped("the record at \(start) is not laid out as it should be")
        }
        guard visit(event) == .proceed else { throw .visitor }
        if record.isSegmentSwitch { throw .switched }
    }
}
