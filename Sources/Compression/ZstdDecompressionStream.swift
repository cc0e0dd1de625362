import CZstd

/// Decompresses frames that arrive in pieces, holding a window and one buffer and no more.
///
/// Frames may follow one another; skippable frames are skipped. Not for two tasks at once.
@safe
public struct ZstdDecompressionStream: ~Copyable {
    // Owned: made in `init`, freed in `deinit`, never handed out.
    private let context: OpaquePointer
    private let limit: Int
    private var buffer: [UInt8]
    private var isBetweenFrames = true
    /// Bytes of content handed out so far.
    public private(set) var count = 0

    /// - Parameters:
    ///   - limit: the most bytes of content that all frames together may hold.
    ///   - windowLog: the largest window accepted, as a power of two: 10 … 27; 23 is what level 19 and below need.
    public init(limit: Int, windowLog: Int = 23) throws(CompressionError) {
        guard (10...27).contains(windowLog) else {
            throw CompressionError(.invalidParameter, "a zstd window of 2^\(windowLog) bytes is not within 2^10 … 2^27")
        }
        unsafe context = try unsafe Self.makeContext(windowLog: Int32(windowLog))
        self.limit = max(0, limit)
        buffer = Array(repeating: 0, count: ZSTD_DStreamOutSize())
    }

    deinit {
        unsafe ZSTD_freeDCtx(context)
    }

    /// Takes the next piece and hands what it yields to `body`, in slices that are valid only during the call.
    ///
    /// - Throws: what `body` throws; `CompressionError` with `tooLarge` once the content exceeds the limit (nothing
    ///   beyond it is handed out) or a frame wants a larger window, `corrupted` when the bytes are not zstd frames.
    ///   After an error the stream is of no more use.
    public mutating func write(_ piece: RawSpan, _ body: (RawSpan) throws -> Void) throws {
        try unsafe piece.withUnsafeBytes { piece in
            var input = unsafe ZSTD_inBuffer(src: piece.baseAddress, size: piece.count, pos: 0)
            var isOutputFull = false
            // A full buffer may leave content inside zstd; between frames there is none.
            while unsafe input.pos < input.size || (isOutputFull && !isBetweenFrames) {
                let produced = try unsafe step(&input)
                isOutputFull = produced == buffer.count
                guard produced <= limit - count else {
                    throw CompressionError(.tooLarge, "the zstd frames hold more than the \(limit) bytes allowed")
                }
                count += produced
                if produced > 0 { try unsafe body(buffer.span.bytes.extracting(first: produced)) }
            }
        }
    }

    /// See `write(_:_:)` over a span.
    public mutating func write(_ piece: [UInt8], _ body: (RawSpan) throws -> Void) throws {
        try unsafe write(piece.span.bytes, body)
    }

    /// Says that no more will come.
    ///
    /// - Throws: `corrupted` when the last frame is not whole.
    public consuming func finish() throws(CompressionError) {
        guard isBetweenFrames else {
            throw CompressionError(.corrupted, "the last zstd frame ends early, after \(count) bytes of content")
        }
    }

    /// Decompresses into the buffer from its front; the number of bytes written.
    private mutating func step(_ input: inout ZSTD_inBuffer) throws(CompressionError) -> Int {
        let context = unsafe self.context
        var failure: CompressionError?
        var expected = 0
        let produced = unsafe buffer.withUnsafeMutableBytes { buffer in
            var output = unsafe ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            do throws(CompressionError) {
                expected = try checked(
                    unsafe ZSTD_decompressStream(context, &output, &input), "decompressing a zstd stream")
            } catch {
                failure = error
            }
            return unsafe output.pos
        }
        if let failure { throw failure }
        isBetweenFrames = expected == 0
        return produced
    }

    private static func makeContext(windowLog: Int32) throws(CompressionError) -> OpaquePointer {
        guard let context = unsafe ZSTD_createDCtx() else {
            throw CompressionError(.exhausted, "no memory for a zstd decompressor")
        }
        do throws(CompressionError) {
            try checked(
                unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog), "bounding the zstd window")
        } catch {
            unsafe ZSTD_freeDCtx(context)
            throw error
        }
        return unsafe context
    }
}
