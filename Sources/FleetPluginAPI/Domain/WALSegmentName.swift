/// The 24 hexadecimal digits that name a WAL segment: timeline, then the segment number in two halves.
///
/// PostgreSQL source: `XLogFileName` in `src/include/access/xlog_internal.h`.
public struct WALSegmentName: Hashable, Sendable {
    public var timeline: TimelineID
    /// Start of the segment divided by the segment size.
    public var number: UInt64
    /// Bytes per segment: a power of two from 1 MiB to 1 GiB (`--wal-segsize`).
    public var segmentSize: UInt64

    public static let defaultSegmentSize: UInt64 = 16 << 20

    public init(timeline: TimelineID, number: UInt64, segmentSize: UInt64 = defaultSegmentSize) {
        self.timeline = timeline
        self.number = number
        self.segmentSize = segmentSize
    }

    /// The segment that holds the byte at `lsn`.
    public init(timeline: TimelineID, containing lsn: LSN, segmentSize: UInt64 = defaultSegmentSize) {
        self.init(timeline: timeline, number: lsn.rawValue / segmentSize, segmentSize: segmentSize)
    }

    /// Parses 24 hexadecimal digits; nil for anything else, history and `.partial` files included.
    public init?(_ text: some StringProtocol, segmentSize: UInt64 = defaultSegmentSize) {
        guard text.utf8.count == 24, text.allSatisfy({ $0.isHexDigit && !$0.isLowercase }),
            let timeline = UInt32(text.prefix(8), radix: 16), timeline > 0,
            let high = UInt64(text.dropFirst(8).prefix(8), radix: 16),
            let low = UInt64(text.suffix(8), radix: 16)
        else { return nil }
        let perFile = Self.segmentsPerLogFile(segmentSize)
        guard low < perFile else { return nil }
        self.init(timeline: timeline, number: high * perFile + low, segmentSize: segmentSize)
    }

    public var start: LSN { LSN(number * segmentSize) }
    /// The first byte after the segment.
    public var end: LSN { LSN((number + 1) * segmentSize) }
    public var next: WALSegmentName {
        WALSegmentName(timeline: timeline, number: number + 1, segmentSize: segmentSize)
    }

    private static func segmentsPerLogFile(_ segmentSize: UInt64) -> UInt64 {
        0x1_0000_0000 / segmentSize
    }
}

extension WALSegmentName: CustomStringConvertible {
    public var description: String {
        let perFile = Self.segmentsPerLogFile(segmentSize)
        return hex8(UInt64(timeline)) + hex8(number / perFile) + hex8(number % perFile)
    }
}

extension WALSegmentName: Comparable {
    /// Timeline first, then position: the order of the names themselves.
    public static func < (left: WALSegmentName, right: WALSegmentName) -> Bool {
        (left.timeline, left.number) < (right.timeline, right.number)
    }
}

extension TimelineHistory {
    /// `0000000A.history`
    public static func fileName(of timeline: TimelineID) -> String {
        hex8(UInt64(timeline)) + ".history"
    }

    /// The timeline whose history a file of this name holds; nil for any other name.
    public static func timeline(ofFile name: String) -> TimelineID? {
        guard name.hasSuffix(".history"), name.utf8.count == 16 else { return nil }
        return UInt32(name.prefix(8), radix: 16)
    }
}

/// Eight upper-case hexadecimal digits, zero-padded.
func hex8(_ value: UInt64) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
}
