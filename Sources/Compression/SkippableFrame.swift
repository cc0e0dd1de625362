/// A frame that zstd decoders pass over: room for a program's own data among zstd frames.
///
/// `[magic 0x184D2A50 | kind][u32 LE size][data]`; RFC 8878, section 3.1.2.
public struct SkippableFrame: Hashable, Sendable {
    /// 0 … 15: the low four bits of the magic number.
    public var kind: UInt8
    public var data: [UInt8]

    public static let headerSize = 8

    /// - Precondition: `kind` is 0 … 15 and `data` is shorter than 4 GiB.
    public init(kind: UInt8, data: [UInt8]) {
        precondition(kind < 16 && data.count <= Int(UInt32.max), "not a skippable frame")
        self.kind = kind
        self.data = data
    }

    /// What a header says.
    public struct Header: Hashable, Sendable {
        public var kind: UInt8
        /// Bytes of data that follow the header.
        public var size: Int

        /// Bytes of the whole frame.
        public var frameSize: Int { SkippableFrame.headerSize + size }
    }

    /// The header at the front of `bytes`; nil when no skippable frame begins there, or fewer than eight bytes are left.
    public static func peek(_ bytes: RawSpan) -> Header? {
        guard bytes.byteCount >= headerSize else { return nil }
        let magic = littleEndian(bytes, at: 0)
        guard magic & ~0xF == magicBase else { return nil }
        return Header(kind: UInt8(magic & 0xF), size: Int(littleEndian(bytes, at: 4)))
    }

    /// See `peek(_:)` over a span.
    public static func peek(_ bytes: [UInt8]) -> Header? {
        unsafe peek(bytes.span.bytes)
    }

    /// Reads the frame at the front of `bytes`; what follows it is not looked at.
    ///
    /// - Throws: `corrupted` when none begins there or it is cut short, `tooLarge` when its data is more than `limit`.
    public static func read(_ bytes: [UInt8], limit: Int) throws(CompressionError) -> SkippableFrame {
        guard let header = peek(bytes) else {
            throw CompressionError(.corrupted, "the bytes do not begin with a skippable frame")
        }
        guard header.size <= limit else {
            throw CompressionError(
                .tooLarge, "the skippable frame holds \(header.size) bytes, more than the \(limit) allowed")
        }
        guard header.frameSize <= bytes.count else {
            throw CompressionError(
                .corrupted, "the skippable frame needs \(header.frameSize) bytes, but only \(bytes.count) are there")
        }
        return SkippableFrame(kind: header.kind, data: Array(bytes[headerSize..<header.frameSize]))
    }

    /// The frame as it is stored.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerSize + data.count)
        for word in [Self.magicBase | UInt32(kind), UInt32(data.count)] {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        bytes += data
        return bytes
    }

    private static let magicBase: UInt32 = 0x184D_2A50

    private static func littleEndian(_ bytes: RawSpan, at offset: Int) -> UInt32 {
        unsafe UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
