public import FleetPluginAPI

extension WALSegmentSummary {
    /// What joining two summaries found at their boundary.
    public enum Joint: Hashable, Sendable {
        /// No record crosses it, or the two were joined before.
        case nothing
        /// A record crosses it; when it is one that a summary describes, it is now in the summary of the segment in
        /// which it begins.
        case joined
        /// A record began in the first segment and was never finished: the server crashed there, and went on with
        /// another one in the second.
        case abandoned
        /// The two parts do not belong together: the segments do not follow one another, or are damaged.
        case mismatched
    }

    /// Completes two summaries with the record that crosses from one segment to the next, and drops its parts.
    ///
    /// For segments that follow one another on one path of recovery. A record of more than 64 KiB is read from its
    /// front, without its checksum; for one that ends beyond the second segment (a commit of hundreds of thousands of
    /// subtransactions), that segment's end stands for its own.
    @discardableResult
    public static func join(previous: inout WALSegmentSummary, next: inout WALSegmentSummary) -> Joint {
        switch (previous.unfinished, next.continuation) {
        case (nil, nil): return .nothing
        case (_?, nil):
            previous.unfinished = nil
            return .abandoned
        case (nil, let rest?):
            // The segment before lies wholly within a record, whose event its beginning has already given.
            guard previous.continuation?.missing == rest.length &+ rest.missing else { return .mismatched }
            previous.continuation = nil
        case (let front?, let rest?):
            guard front.missing == rest.length &+ rest.missing, front.end <= rest.lsn,
                previous.systemIdentifier == next.systemIdentifier, previous.add(front, rest, in: &next)
            else { return .mismatched }
            previous.unfinished = nil
        }
        // One that goes on beyond the second segment is still to be matched with the third.
        if next.continuation?.missing == 0 { next.continuation = nil }
        return .joined
    }

    /// Adds the record that the two parts make up; false when they make up none.
    private mutating func add(_ front: RecordPart, _ rest: RecordPart, in next: inout WALSegmentSummary) -> Bool {
        let length = front.length &+ front.missing
        let contiguous = front.bytes.count == front.length ? front.bytes + rest.bytes : front.bytes
        guard contiguous.count >= WALRecordHeader.size else { return front.bytes.isEmpty }
        return contiguous.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            let header = WALRecordHeader(base)
            guard header.length == length, bytes.count < length || Self.isIntact(bytes, header) else { return false }
            guard header.isOfInterest else { return true }
            let decoder = WALRecordDecoder(majorVersion: majorVersion ?? 18)
            guard let event = decoder.decode(bytes, length: length, start: front.lsn, end: rest.end) else {
                return bytes.count < length
            }
            add(event)
            if header.isSegmentSwitch, next.endOfRecords == rest.end { next.ending = .switched }
            return true
        }
    }

    private static func isIntact(_ record: UnsafeRawBufferPointer, _ header: WALRecordHeader) -> Bool {
        guard let base = record.baseAddress else { return false }
        let data = crc32c(
            0xFFFF_FFFF, base + WALRecordHeader.size, record.count - WALRecordHeader.size, tables: crc32cTables)
        return ~crc32c(data, base, 20, tables: crc32cTables) == header.crc
    }
}
