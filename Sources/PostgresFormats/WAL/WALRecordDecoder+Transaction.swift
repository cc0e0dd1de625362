import FleetPluginAPI

// PostgreSQL source: src/include/access/xact.h, src/backend/access/rmgrdesc/xactdesc.c.
extension WALRecordDecoder {
    func transaction(_ header: WALRecordHeader, _ data: UnsafeRawBufferPointer) -> WALEvent.Kind? {
        var reader = ByteReader(data)
        switch header.info & 0x70 {
        case 0x00, 0x20: return end(header, &reader, isCommit: header.info & 0x70 == 0x00)
        case 0x30, 0x40: return preparedEnd(header, &reader, isCommit: header.info & 0x70 == 0x30)
        case 0x10: return prepare(&reader)
        default: return nil
        }
    }

    private func end(_ header: WALRecordHeader, _ reader: inout ByteReader, isCommit: Bool) -> WALEvent.Kind? {
        guard let time = reader.read(Int64.self).flatMap(Timestamp.init(checkedPostgres:)) else { return nil }
        return .transactionEnd(xid: header.xid, time: time, isCommit: isCommit, wasPrepared: false)
    }

    private func preparedEnd(
        _ header: WALRecordHeader, _ reader: inout ByteReader, isCommit: Bool
    ) -> WALEvent.Kind? {
        guard header.info & 0x80 != 0,
            let time = reader.read(Int64.self).flatMap(Timestamp.init(checkedPostgres:)),
            let contents = reader.read(UInt32.self),
            skipToTwoPhase(&reader, contents: contents, isCommit: isCommit) != nil,
            contents & 0x10 != 0, let xid = reader.read(UInt32.self)
        else { return nil }
        return .transactionEnd(xid: xid, time: time, isCommit: isCommit, wasPrepared: true)
    }

    /// Passes over what stands before the prepared transaction's number.
    private func skipToTwoPhase(_ reader: inout ByteReader, contents: UInt32, isCommit: Bool) -> Void? {
        if contents & 0x1 != 0, reader.skip(8) == nil { return nil }
        var lists = [(0x2, 4), (0x4, 12), (0x100, majorVersion >= 18 ? 16 : 12)]
        if isCommit { lists.append((0x8, 16)) }
        for (flag, size) in lists where contents & UInt32(flag) != 0 {
            guard let count = reader.read(Int32.self), count >= 0, reader.skip(Int(count) * size) != nil else {
                return nil
            }
        }
        return ()
    }

    private func prepare(_ reader: inout ByteReader) -> WALEvent.Kind? {
        // magic, total length; then the transaction, the database and the time.
        guard reader.skip(8) != nil, let xid = reader.read(UInt32.self), reader.skip(4) != nil,
            let time = reader.read(Int64.self).flatMap(Timestamp.init(checkedPostgres:)),
            // Counts and flags: 15 added two counts of dropped statistics.
            reader.skip(majorVersion >= 15 ? 30 : 22) != nil, let length = reader.read(UInt16.self),
            reader.skip(16) != nil
        else { return nil }
        return .prepared(xid: xid, identifier: reader.zeroTerminated(limit: Int(length)), time: time)
    }
}

extension Timestamp {
    /// Nil outside the years 1 … 9999: no clock says so, and no text of ours could hold it.
    init?(checkedPostgres microseconds: Int64) {
        guard (-63_082_281_600_000_000..<252_455_616_000_000_000).contains(microseconds) else { return nil }
        self.init(postgres: microseconds)
    }
}
