import CZstd

/// Makes zstd frames, one after the other, with the same memory.
///
/// Each frame carries its content size and stands by itself. Not for two tasks at once.
@safe
public struct ZstdCompressor: ~Copyable {
    // Owned: made in `init`, freed in `deinit`, never handed out.
    private let context: OpaquePointer

    /// - Parameters:
    ///   - level: 1 (fast) … 22 (small); negative levels are faster still.
    ///   - checksum: whether each frame ends with a 32-bit checksum of its content.
    /// - Throws: `invalidParameter` for a level that zstd does not have, `exhausted` without memory.
    public init(level: Int = 3, checksum: Bool = false) throws(CompressionError) {
        guard let level = Int32(exactly: level), (ZSTD_minCLevel()...ZSTD_maxCLevel()).contains(level) else {
            throw CompressionError(
                .invalidParameter,
                "zstd has no level \(level); its levels are \(ZSTD_minCLevel()) to \(ZSTD_maxCLevel())")
        }
        unsafe context = try unsafe Self.makeContext(level: level, checksum: checksum)
    }

    deinit {
        unsafe ZSTD_freeCCtx(context)
    }

    /// The bytes as one frame.
    public mutating func compress(_ bytes: [UInt8]) throws(CompressionError) -> [UInt8] {
        try unsafe compress(bytes.span.bytes)
    }

    /// The bytes as one frame.
    public mutating func compress(_ bytes: RawSpan) throws(CompressionError) -> [UInt8] {
        let context = unsafe self.context
        return try unsafe bytes.withUnsafeBytes { (bytes) throws(CompressionError) in
            try unsafe Self.frame(of: bytes, with: context)
        }
    }

    /// The bytes as one frame.
    public mutating func compress(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> [UInt8] {
        try unsafe Self.frame(of: bytes, with: context)
    }

    private static func makeContext(level: Int32, checksum: Bool) throws(CompressionError) -> OpaquePointer {
        guard let context = unsafe ZSTD_createCCtx() else {
            throw CompressionError(.exhausted, "no memory for a zstd compressor")
        }
        do throws(CompressionError) {
            for (parameter, value) in [
                (ZSTD_c_compressionLevel, level), (ZSTD_c_contentSizeFlag, 1), (ZSTD_c_checksumFlag, checksum ? 1 : 0),
            ] {
                try checked(unsafe ZSTD_CCtx_setParameter(context, parameter, value), "preparing a zstd compressor")
            }
        } catch {
            unsafe ZSTD_freeCCtx(context)
            throw error
        }
        return unsafe context
    }

    private static func frame(
        of bytes: UnsafeRawBufferPointer, with context: OpaquePointer
    ) throws(CompressionError) -> [UInt8] {
        let bound = try checked(ZSTD_compressBound(bytes.count), "\(bytes.count) bytes are too many for one zstd frame")
        return try unsafe filled(upTo: bound) { (buffer) throws(CompressionError) in
            try checked(
                unsafe ZSTD_compress2(context, buffer.baseAddress, buffer.count, bytes.baseAddress, bytes.count),
                "compressing \(bytes.count) bytes")
        }
    }
}

/// An array of what `fill` wrote at the front of a buffer of `capacity` bytes; no bytes are zeroed beforehand.
func filled(
    upTo capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(CompressionError) -> Int
) throws(CompressionError) -> [UInt8] {
    var failure: CompressionError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        do throws(CompressionError) {
            count = try unsafe fill(UnsafeMutableRawBufferPointer(buffer))
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return bytes
}
