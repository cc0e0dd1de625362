import CZstd

/// Reads zstd frames, one after the other, with the same memory. Not for two tasks at once.
@safe
public struct ZstdDecompressor: ~Copyable {
    // Owned: made in `init`, freed in `deinit`, never handed out.
    private let context: OpaquePointer

    public init() throws(CompressionError) {
        guard let context = unsafe ZSTD_createDCtx() else {
            throw CompressionError(.exhausted, "no memory for a zstd decompressor")
        }
        unsafe self.context = context
    }

    deinit {
        unsafe ZSTD_freeDCtx(context)
    }

    /// The content of exactly one frame.
    ///
    /// Allocates at most the content size that the frame declares, or `limit` when it declares none.
    ///
    /// - Throws: `tooLarge` when the content is more than `limit` bytes; `corrupted` when the bytes are not one whole
    ///   frame, its checksum is wrong, or something follows it.
    public mutating func decompress(_ frame: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        try unsafe decompress(frame.span.bytes, limit: limit)
    }

    /// See `decompress(_:limit:)` over an array.
    public mutating func decompress(_ frame: RawSpan, limit: Int) throws(CompressionError) -> [UInt8] {
        let context = unsafe self.context
        return try unsafe frame.withUnsafeBytes { (frame) throws(CompressionError) in
            try unsafe Self.content(of: frame, limit: limit, with: context)
        }
    }

    /// See `decompress(_:limit:)` over an array.
    public mutating func decompress(
        _ frame: UnsafeRawBufferPointer, limit: Int
    ) throws(CompressionError) -> [UInt8] {
        try unsafe Self.content(of: frame, limit: limit, with: context)
    }

    private static func content(
        of frame: UnsafeRawBufferPointer, limit: Int, with context: OpaquePointer
    ) throws(CompressionError) -> [UInt8] {
        guard unsafe SkippableFrame.peek(frame.bytes) == nil else {
            throw CompressionError(.corrupted, "a skippable frame stands where a zstd frame should")
        }
        let length = try checked(
            unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count), "reading a zstd frame")
        guard length == frame.count else {
            throw CompressionError(.corrupted, "\(frame.count - length) bytes follow the zstd frame")
        }
        let declared = try unsafe contentSize(of: frame)
        if let declared, declared > UInt64(max(0, limit)) {
            throw CompressionError(.tooLarge, "the zstd frame holds \(declared) bytes, more than the \(limit) allowed")
        }
        return try unsafe filled(upTo: declared.map { Int($0) } ?? max(0, limit)) { (buffer) throws(CompressionError) in
            try checked(
                unsafe ZSTD_decompressDCtx(context, buffer.baseAddress, buffer.count, frame.baseAddress, frame.count),
                "decompressing \(frame.count) bytes")
        }
    }

    /// The content size that a frame's header declares; nil when it declares none.
    ///
    /// - Throws: `corrupted` when the bytes do not begin with the header of a zstd frame.
    public static func contentSize(_ frame: [UInt8]) throws(CompressionError) -> UInt64? {
        try unsafe frame.span.bytes.withUnsafeBytes { (frame) throws(CompressionError) in
            try unsafe contentSize(of: frame)
        }
    }

    private static func contentSize(of frame: UnsafeRawBufferPointer) throws(CompressionError) -> UInt64? {
        // ZSTD_CONTENTSIZE_UNKNOWN and ZSTD_CONTENTSIZE_ERROR are macros that do not import.
        switch unsafe ZSTD_getFrameContentSize(frame.baseAddress, frame.count) {
        case .max: nil
        case .max - 1: throw CompressionError(.corrupted, "the bytes do not begin with a zstd frame")
        case let size: size
        }
    }
}
