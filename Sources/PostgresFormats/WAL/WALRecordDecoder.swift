import FleetPluginAPI

/// Reads the records that `WALEvent` describes. The caller has checked their CRC.
struct WALRecordDecoder {
    /// 18 for versions newer than is known.
    let majorVersion: Int

    /// - Parameters:
    ///   - record: the record from its beginning on; the end may be missing.
    ///   - length: bytes of the whole record.
    /// - Returns: nil when the record is not laid out as the version would, or too much of its end is missing.
    func decode(_ record: UnsafeRawBufferPointer, length: Int, start: LSN, end: LSN) -> WALEvent? {
        guard let base = record.baseAddress, record.count >= WALRecordHeader.size,
            let (offset, count) = mainData(of: record, length: length)
        else { return nil }
        let header = WALRecordHeader(base)
        let data = UnsafeRawBufferPointer(
            rebasing: record[min(offset, record.count)..<min(offset + count, record.count)])
        let kind =
            header.resourceManager == WALRecordHeader.transactionLog
            ? transaction(header, data) : log(header, data)
        return kind.map { WALEvent(start: start, end: end, kind: $0) }
    }

    /// Where the main data lies: behind all headers and the data of all blocks.
    ///
    /// PostgreSQL source: `DecodeXLogRecord` in `src/backend/access/transam/xlogreader.c`.
    private func mainData(of record: UnsafeRawBufferPointer, length: Int) -> (offset: Int, count: Int)? {
        var reader = ByteReader(record, at: WALRecordHeader.size)
        var dataLength = 0
        var mainLength = 0
        while reader.offset + dataLength < length {
            guard let identifier = reader.read(UInt8.self) else { return nil }
            switch identifier {
            case 255:
                guard let count = reader.read(UInt8.self) else { return nil }
                mainLength = Int(count)
                dataLength += mainLength
            case 254:
                guard let count = reader.read(UInt32.self) else { return nil }
                mainLength = Int(count)
                dataLength += mainLength
            case 253: guard reader.skip(2) != nil else { return nil }
            case 252: guard reader.skip(4) != nil else { return nil }
            case 0...32:
                guard let count = blockData(&reader) else { return nil }
                dataLength += count
            default: return nil
            }
            // The main data's header is the last one.
            if identifier >= 254 { break }
        }
        guard reader.offset + dataLength == length else { return nil }
        return (length - mainLength, mainLength)
    }

    /// Reads a block's header; the number of its bytes among the data.
    private func blockData(_ reader: inout ByteReader) -> Int? {
        guard let flags = reader.read(UInt8.self), let dataLength = reader.read(UInt16.self) else { return nil }
        var count = Int(dataLength)
        if flags & 0x10 != 0 {
            guard let imageLength = reader.read(UInt16.self), reader.skip(2) != nil,
                let image = reader.read(UInt8.self)
            else { return nil }
            count += Int(imageLength)
            let isCompressed = image & (majorVersion >= 15 ? 0x1C : 0x02) != 0
            if isCompressed, image & 0x01 != 0 {
                guard reader.skip(2) != nil else { return nil }
            }
        }
        guard reader.skip(flags & 0x80 == 0 ? 16 : 4) != nil else { return nil }
        return count
    }
}
