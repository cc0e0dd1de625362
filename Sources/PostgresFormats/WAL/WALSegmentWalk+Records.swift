import FleetPluginAPI

extension WALSegmentWalk {
    /// Reads the record at `offset`, or as much of it as the page holds.
    @inline(__always)
    mutating func readRecord(before end: Int, _ visit: (WALEvent) -> WALScanner.Step) throws(End) {
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
    mutating func continueRecord(before end: Int, _ visit: (WALEvent) -> WALScanner.Step) throws(End) {
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
