import FleetPluginAPI

/// A record whose bytes come from several pages.
struct WALPendingRecord: Sendable {
    /// Where it begins; where its bytes begin in this segment when the beginning is not known.
    let start: LSN
    /// Whether the record began before the first segment that was read.
    let isHeadless: Bool
    /// Bytes still to come.
    private(set) var missing: Int
    /// Bytes so far.
    private(set) var length = 0
    /// Nil until its 24 bytes are there, and always when headless.
    private(set) var header: WALRecordHeader?
    /// The record's first bytes, all or up to the limit, as long as it may be of interest.
    private(set) var bytes: [UInt8] = []
    private var head: [UInt8] = []
    // Not inverted; over the bytes behind the header, which PostgreSQL takes first.
    private var crc: UInt32 = 0xFFFF_FFFF

    /// What is kept of a record that is too long to keep: its front says all that events do.
    private static let limit = 16 << 20

    init(start: LSN, length: Int, isHeadless: Bool) {
        self.start = start
        missing = length
        self.isHeadless = isHeadless
    }

    var totalLength: Int { length + missing }

    /// - Precondition: no more bytes than are missing.
    mutating func append(_ part: UnsafeRawBufferPointer, tables: UnsafePointer<UInt32>) {
        length += part.count
        missing -= part.count
        guard !isHeadless else { return keep(part, upTo: WALSegmentSummary.RecordPart.limit) }
        var rest = part
        if header == nil {
            let front = part.prefix(WALRecordHeader.size - head.count)
            head += front
            rest = UnsafeRawBufferPointer(rebasing: part[front.endIndex...])
            guard head.count == WALRecordHeader.size else { return }
            header = head.withUnsafeBytes { $0.baseAddress.map(WALRecordHeader.init) }
            bytes = head
        }
        if let start = rest.baseAddress { crc = crc32c(crc, start, rest.count, tables: tables) }
        if isOfInterest { keep(rest, upTo: Self.limit) }
    }

    private mutating func keep(_ part: UnsafeRawBufferPointer, upTo limit: Int) {
        bytes += part.prefix(max(0, limit - bytes.count))
    }

    /// Whether it may be a record that events describe, as far as is known.
    var isOfInterest: Bool { header?.isOfInterest ?? true }

    /// Whether the whole record's checksum is right; one without a beginning is not judged.
    func isIntact(tables: UnsafePointer<UInt32>) -> Bool {
        guard let header else { return isHeadless }
        return head.withUnsafeBytes { head in
            head.baseAddress.map { ~crc32c(crc, $0, 20, tables: tables) == header.crc } ?? false
        }
    }

    /// What a summary keeps of it.
    func part(endingAt end: LSN) -> WALSegmentSummary.RecordPart {
        let kept = isHeadless || header != nil ? (isOfInterest ? bytes : []) : head
        return WALSegmentSummary.RecordPart(
            lsn: start, end: end, bytes: Array(kept.prefix(WALSegmentSummary.RecordPart.limit)), length: length,
            missing: missing)
    }
}
