public import FleetPluginAPI

/// What the first page of a WAL segment says about the segment.
public struct WALSegmentHeader: Hashable, Sendable {
    public var systemIdentifier: SystemIdentifier
    /// The timeline of the first page. A segment in which a timeline begins starts with pages of the older one.
    public var timeline: TimelineID
    /// The position of the segment's first byte.
    public var start: LSN
    public var segmentSize: UInt64
    public var blockSize: Int
    public var magic: UInt16

    /// The PostgreSQL version that wrote it, such as 15; nil for one newer than is known here.
    public var majorVersion: Int? { Self.majorVersions[magic] }

    /// Where the segment lies, by its own word.
    public var name: WALSegmentName {
        WALSegmentName(timeline: timeline, containing: start, segmentSize: segmentSize)
    }

    /// `XLOG_PAGE_MAGIC` of each release.
    static let majorVersions: [UInt16: Int] = [
        0xD106: 13, 0xD10D: 14, 0xD110: 15, 0xD113: 16, 0xD116: 17, 0xD118: 18,
    ]

    /// Reads the header of a segment; its first 40 bytes suffice.
    ///
    /// - Parameters:
    ///   - name: what the file is called; the position must agree, and the timeline must not be newer.
    ///   - acceptingNewer: reads segments of PostgreSQL versions after 18 too, on the assumption that they are laid
    ///     out as 18's.
    /// - Throws: `corrupted` for bytes that no segment begins with, or another segment's; `unsupported` for versions
    ///   that cannot be read.
    public init(
        _ bytes: [UInt8], name: WALSegmentName? = nil, acceptingNewer: Bool = false
    ) throws(FleetError) {
        self = try bytes.span.withUnsafeBytes { (bytes) throws(FleetError) in
            try WALSegmentHeader(bytes, name: name, acceptingNewer: acceptingNewer)
        }
    }

    init(_ bytes: UnsafeRawBufferPointer, name: WALSegmentName?, acceptingNewer: Bool) throws(FleetError) {
        var long = ByteReader(bytes, at: WALPageHeader.shortSize)
        guard let page = WALPageHeader(bytes, at: 0), let identifier = long.read(UInt64.self),
            let segmentSize = long.read(UInt32.self), let blockSize = long.read(UInt32.self)
        else { throw Self.corrupted(name, "it has only \(bytes.count) bytes") }
        try Self.checkMagic(page.magic, name, acceptingNewer: acceptingNewer)
        guard page.isLong, page.hasKnownFlags else {
            throw Self.corrupted(name, "its first page has no segment header")
        }
        guard (1 << 20...1 << 30).contains(segmentSize), segmentSize.nonzeroBitCount == 1,
            (1 << 10...1 << 16).contains(blockSize), blockSize.nonzeroBitCount == 1
        else { throw Self.corrupted(name, "its header claims \(blockSize) byte pages in \(segmentSize) bytes") }
        guard page.address.rawValue.isMultiple(of: UInt64(segmentSize)), page.timeline > 0 else {
            throw Self.corrupted(name, "its header claims position \(page.address) on timeline \(page.timeline)")
        }
        guard bytes.count <= segmentSize || bytes.count == WALPageHeader.longSize else {
            throw Self.corrupted(name, "it has \(bytes.count) bytes, but its header says \(segmentSize)")
        }
        systemIdentifier = SystemIdentifier(rawValue: identifier)
        timeline = page.timeline
        start = page.address
        magic = page.magic
        self.segmentSize = UInt64(segmentSize)
        self.blockSize = Int(blockSize)
        if let name, name.start != start || name.segmentSize != self.segmentSize || name.timeline < timeline {
            throw Self.corrupted(name, "its header says that it is \(self.name)")
        }
    }

    private static func checkMagic(
        _ magic: UInt16, _ name: WALSegmentName?, acceptingNewer: Bool
    ) throws(FleetError) {
        guard majorVersions[magic] == nil else { return }
        switch magic {
        case 0xD119...0xD1FF:
            guard !acceptingNewer else { return }
            throw FleetError(
                .unsupported, "\(subject(name)) was written by a PostgreSQL version after 18",
                cause: "page magic \(hexadecimal(magic))", hint: "use a fleet that knows that version")
        case 0xD000...0xD118:
            throw FleetError(
                .unsupported, "\(subject(name)) was written by a PostgreSQL version before 13 or a pre-release",
                cause: "page magic \(hexadecimal(magic))")
        default:
            throw corrupted(name, "it begins with \(hexadecimal(magic)), which is no page magic")
        }
    }

    private static func subject(_ name: WALSegmentName?) -> String {
        name.map { "WAL segment \($0)" } ?? "the WAL segment"
    }

    static func corrupted(_ name: WALSegmentName?, _ cause: String) -> FleetError {
        FleetError(
            .corrupted, name.map { "\($0) is not that WAL segment" } ?? "this is not a WAL segment", cause: cause)
    }

    private static func hexadecimal(_ magic: UInt16) -> String {
        "0x" + String(magic, radix: 16, uppercase: true)
    }
}
