import Compression
import FleetPluginAPI

/// What the front of an archived file says of it: everything a catalog needs, in the first few KiB.
struct WALObjectHeader: Hashable, Sendable, Codable {
    var format = RepositoryFormat.version
    /// The file's name in `pg_wal`.
    var name: String
    var kind: WALFileName.Kind
    var systemIdentifier: SystemIdentifier
    /// Bytes of the file, and their SHA-256.
    var size: Int64
    var sha256: ContentHash
    /// Bytes of the zstd frame that follows, and their SHA-256; set when the object is made.
    var frameSize: Int64 = 0
    var frameSHA256 = ContentHash(of: [])
    /// Bytes per segment; nil for a history file.
    var segmentSize: UInt64?
    var archivedAt: Timestamp
    /// Nil where the file is no whole segment, or could not be understood.
    var summary: WALSegmentSummary?
}

/// An archived file: a skippable frame with the header, then one zstd frame with the content, so that `zstd -d` gives
/// the file.
enum WALObject {
    static let headerKind: UInt8 = 13
    static let tag: StaticString = "FLTWAL_1"
    /// Enough to read the header of nearly every segment in one go.
    static let probeSize: Int64 = 8192
    /// A header is never larger than this.
    static let headerLimit = 1 << 20
    /// PostgreSQL's largest segment.
    static let contentLimit: Int64 = 1 << 30

    static func encode(_ header: WALObjectHeader, _ content: [UInt8], level: Int) throws -> [UInt8] {
        try encode(header, frame: Zstd.compress(content, level: level))
    }

    /// - Parameter frame: the content, compressed.
    static func encode(_ header: WALObjectHeader, frame: [UInt8]) throws -> [UInt8] {
        var header = header
        header.frameSize = Int64(frame.count)
        header.frameSHA256 = ContentHash(of: frame)
        let json = try JSONText.encode(header)
        var data: [UInt8] = []
        data.append(ascii: tag)
        data += ContentHash(of: json).bytes
        data += json
        return SkippableFrame(kind: headerKind, data: data).bytes + frame
    }

    /// How many bytes the front of the object has, the header included; nil when these are too few bytes to tell.
    ///
    /// - Throws: `corrupted` when no header begins here.
    static func headerSize(_ bytes: [UInt8], _ subject: String) throws(FleetError) -> Int? {
        guard bytes.count >= SkippableFrame.headerSize else { return nil }
        guard let frame = SkippableFrame.peek(bytes), frame.kind == headerKind,
            frame.size > tag.utf8CodeUnitCount + ContentHash.byteCount, frame.size <= headerLimit
        else { throw FleetError(.corrupted, "\(subject) is damaged", cause: "it does not begin with its header") }
        return frame.frameSize
    }

    /// Reads the header off the front of an object.
    ///
    /// - Throws: `corrupted`; `unsupported` for a newer format.
    static func header(_ bytes: [UInt8], _ subject: String) throws -> WALObjectHeader {
        guard let size = try headerSize(bytes, subject), size <= bytes.count else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it ends within its header")
        }
        var reader = ByteReader(bytes, subject, range: SkippableFrame.headerSize..<size)
        try reader.expect(tag)
        let hash = try reader.hash()
        let json = Array(try reader.take(reader.remaining))
        guard ContentHash(of: json) == hash else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "the SHA-256 of its header differs")
        }
        let header = try JSONText.decode(WALObjectHeader.self, json, subject)
        try RepositoryFormat.check(header.format, subject)
        return header
    }

    /// Checks header and compressed content, without decompressing.
    @discardableResult
    static func check(_ bytes: [UInt8], _ subject: String) throws -> WALObjectHeader {
        let header = try header(bytes, subject)
        try withFrame(bytes, header, subject) { _ in }
        return header
    }

    private static func withFrame<Result>(
        _ bytes: [UInt8], _ header: WALObjectHeader, _ subject: String,
        _ use: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard let size = try headerSize(bytes, subject), size <= bytes.count, header.size <= contentLimit else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it ends within its header")
        }
        return try bytes.withUnsafeBytes { bytes in
            let frame = UnsafeRawBufferPointer(rebasing: bytes[size...])
            guard frame.count == Int(header.frameSize), ContentHash(of: frame) == header.frameSHA256 else {
                throw FleetError(
                    .corrupted, "\(subject) is damaged", cause: "size or SHA-256 of its compressed content differ")
            }
            return try use(frame)
        }
    }

    /// The file in pieces, of an object that has been checked: its content is what the checked frame yields, which is
    /// as long as the header says.
    ///
    /// - Throws: `corrupted`, and what `put` throws.
    static func decompress(
        _ bytes: [UInt8], _ header: WALObjectHeader, _ subject: String, _ put: (RawSpan) throws -> Void
    ) throws {
        guard let size = try headerSize(bytes, subject), size <= bytes.count, header.size <= contentLimit else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it ends within its header")
        }
        do {
            var stream = try ZstdDecompressionStream(limit: Int(header.size))
            try stream.write(bytes.span.bytes.extracting(size...), put)
            let count = stream.count
            try stream.finish()
            guard count == Int(header.size) else {
                throw FleetError(
                    .corrupted, "\(subject) is damaged", cause: "it holds \(count) bytes instead of \(header.size)")
            }
        } catch let error as CompressionError {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: error.message)
        }
    }

    /// The file itself, checked against its header. Blocks for as long as that takes.
    static func content(_ bytes: [UInt8], _ header: WALObjectHeader, _ subject: String) throws -> [UInt8] {
        let content = try withFrame(bytes, header, subject) { frame in
            try Zstd.decompress(frame, length: Int(header.size), subject)
        }
        guard ContentHash(of: content) == header.sha256 else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "the SHA-256 of its content differs")
        }
        return content
    }
}
