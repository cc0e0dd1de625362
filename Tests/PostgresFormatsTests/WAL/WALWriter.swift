import FleetPluginAPI
import PostgresFormats

/// Writes WAL as PostgreSQL lays it out: pages, headers, records that cross both. What the reader is tried against
/// where a server cannot be made to write it, other versions' formats first of all.
struct WALWriter {
    var magic: UInt16
    var timeline: TimelineID = 1
    var systemIdentifier: UInt64 = 7_584_221_331_219_874_321
    let segmentSize = 1 << 20
    let blockSize = 8192
    /// Position of the first byte.
    let start: LSN
    private(set) var bytes: [UInt8] = []
    private var previous: LSN
    private var remaining = 0
    private var overwrites = false

    init(magic: UInt16 = 0xD110, start: LSN = LSN(5 << 20), previous: LSN = LSN((5 << 20) - 64)) {
        self.magic = magic
        self.start = start
        self.previous = previous
    }

    var position: LSN { start + UInt64(bytes.count) }

    /// The segments so far, the last one filled with zeroes.
    var segments: [WALSegmentFile] {
        stride(from: 0, to: bytes.count, by: segmentSize).map { offset in
            var segment = Array(bytes[offset..<min(offset + segmentSize, bytes.count)])
            segment += Array(repeating: 0, count: segmentSize - segment.count)
            return WALSegmentFile(
                name: WALSegmentName(
                    timeline: timeline, containing: start + UInt64(offset), segmentSize: UInt64(segmentSize)),
                bytes: segment)
        }
    }

    /// Appends a record; where it begins and ends.
    @discardableResult
    mutating func record(
        manager: UInt8, info: UInt8, xid: UInt32 = 0, main: [UInt8], prefix: [UInt8] = [], blocks: [UInt8] = []
    ) -> (start: LSN, end: LSN) {
        var body = prefix
        if main.count > 255 {
            body += [254] + UInt32(main.count).littleEndianBytes
        } else if !main.isEmpty {
            body += [255, UInt8(main.count)]
        }
        body += blocks + main
        pageHeaderIfDue()
        let start = position
        var head = UInt32(24 + body.count).littleEndianBytes + xid.littleEndianBytes
        head += previous.rawValue.littleEndianBytes + [info, manager, 0, 0]
        var crc = CRC32C()
        crc.update(body)
        crc.update(head)
        append(head + crc.value.littleEndianBytes + body)
        bytes += Array(repeating: 0, count: (8 - bytes.count % 8) % 8)
        previous = start
        return (start, position)
    }

    private mutating func append(_ data: [UInt8]) {
        var rest = data[...]
        while !rest.isEmpty {
            remaining = rest.count
            pageHeaderIfDue(continuing: rest.count < data.count)
            let room = blockSize - bytes.count % blockSize
            bytes += rest.prefix(room)
            rest = rest.dropFirst(room)
        }
    }

    private mutating func pageHeaderIfDue(continuing: Bool = false) {
        guard bytes.count % blockSize == 0 else { return }
        let isLong = bytes.count % segmentSize == 0
        let flags: UInt16 = (continuing ? 1 : 0) | (isLong ? 2 : 0) | (overwrites ? 8 : 0)
        overwrites = false
        var header = magic.littleEndianBytes + flags.littleEndianBytes + timeline.littleEndianBytes
        header += position.rawValue.littleEndianBytes + UInt32(continuing ? remaining : 0).littleEndianBytes
        header += [0, 0, 0, 0]
        if isLong {
            header += systemIdentifier.littleEndianBytes + UInt32(segmentSize).littleEndianBytes
            header += UInt32(blockSize).littleEndianBytes
        }
        bytes += header
    }

    /// Cuts off what was written from `lsn`, a page's beginning, on: the server crashed, and goes on with another record.
    mutating func crash(at lsn: LSN, lastRecord: LSN) {
        bytes.removeLast(Int(position - lsn))
        previous = lastRecord
        overwrites = true
    }

    /// Leaves the rest of the segment unused.
    mutating func switchSegment() {
        record(manager: 0, info: 0x40, main: [])
        bytes += Array(repeating: 0, count: (segmentSize - bytes.count % segmentSize) % segmentSize)
    }

    /// A record of no interest, `size` bytes in all.
    @discardableResult
    mutating func filler(_ size: Int) -> (start: LSN, end: LSN) {
        let header = 24 + (size - 26 > 255 ? 5 : 2)
        return record(manager: 10, info: 0, xid: 9, main: Array(repeating: 0xAB, count: max(1, size - header)))
    }

    /// Fills up to where `left` bytes are left before the end of the segment.
    mutating func fill(leaving left: Int) {
        pageHeaderIfDue()
        let end = (bytes.count / segmentSize + 1) * segmentSize - left
        while end - bytes.count > 20_000 { filler(8000) }
        while bytes.count < end {
            // One that ends on this page or at its end, and neither leaves nor takes fewer than 40 bytes.
            let room = min(end, (bytes.count / blockSize + 1) * blockSize) - bytes.count
            filler(room <= 4096 ? room : room / 2 & ~7)
            if bytes.count < end { pageHeaderIfDue() }
        }
    }
}

extension WALWriter {
    @discardableResult
    mutating func commit(xid: UInt32, at time: Timestamp, isAbort: Bool = false) -> (start: LSN, end: LSN) {
        record(manager: 1, info: isAbort ? 0x20 : 0, xid: xid, main: time.postgres.littleEndianBytes)
    }

    /// A commit with everything that may stand in one; of a prepared transaction when `prepared` is given.
    @discardableResult
    mutating func fullCommit(
        xid: UInt32, at time: Timestamp, prepared: UInt32? = nil, isAbort: Bool = false, subtransactions: Int = 3
    ) -> (start: LSN, end: LSN) {
        let major = WALWriter.major(magic)
        var contents: UInt32 = 0x1 | 0x2 | 0x4 | 0x20
        var main: [UInt8] = UInt32(5).littleEndianBytes + UInt32(1663).littleEndianBytes
        main += UInt32(subtransactions).littleEndianBytes + Array(repeating: 0x77, count: 4 * subtransactions)
        main += UInt32(2).littleEndianBytes + Array(repeating: 0x66, count: 24)
        if major >= 15 {
            contents |= 0x100
            main += UInt32(2).littleEndianBytes + Array(repeating: 0x55, count: 2 * (major >= 18 ? 16 : 12))
        }
        if !isAbort {
            contents |= 0x8
            main += UInt32(1).littleEndianBytes + Array(repeating: 0x44, count: 16)
        }
        if let prepared {
            contents |= 0x10 | 0x80
            main += prepared.littleEndianBytes + Array("some gid".utf8) + [0]
        }
        main += Array(repeating: 0x33, count: 16)
        let kind: UInt8 = prepared == nil ? (isAbort ? 0x20 : 0x00) : (isAbort ? 0x40 : 0x30)
        return record(
            manager: 1, info: kind | 0x80, xid: xid,
            main: time.postgres.littleEndianBytes + contents.littleEndianBytes + main,
            // A replication origin, and from 14 on the top-level transaction.
            prefix: [253, 1, 0] + (major >= 14 ? [252, 9, 0, 0, 0] : []))
    }

    @discardableResult
    mutating func restorePoint(_ name: String, at time: Timestamp) -> (start: LSN, end: LSN) {
        let text = Array(name.utf8)
        return record(
            manager: 0, info: 0x70,
            main: time.postgres.littleEndianBytes + text + Array(repeating: 0, count: 64 - text.count))
    }

    static func major(_ magic: UInt16) -> Int {
        [0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18][magic] ?? 18
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] {
        withUnsafeBytes(of: littleEndian) { Array($0) }
    }
}
