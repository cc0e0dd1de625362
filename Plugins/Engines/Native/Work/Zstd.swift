import Compression
import FleetPluginAPI
import Synchronization

/// zstd with contexts that are used again, since making one costs more than compressing a chunk.
enum Zstd {
    /// The bytes as one frame. Blocks for as long as compression takes.
    static func compress(_ bytes: [UInt8], level: Int) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try compress($0, level: level) }
    }

    static func compress(_ bytes: UnsafeRawBufferPointer, level: Int) throws -> [UInt8] {
        let box = try compressors.take(level) ?? CompressorBox(ZstdCompressor(level: level))
        let frame = try box.compressor.compress(bytes)
        compressors.give(box, level)
        return frame
    }

    /// The content of exactly one frame, which must be as long as said.
    ///
    /// - Throws: `corrupted` that names `subject`.
    static func decompress(_ frame: UnsafeRawBufferPointer, length: Int, _ subject: @autoclosure () -> String) throws
        -> [UInt8]
    {
        let box = try decompressors.take(0) ?? DecompressorBox(ZstdDecompressor())
        let content: [UInt8]
        do {
            content = try box.decompressor.decompress(frame, limit: length)
        } catch {
            throw FleetError(.corrupted, "\(subject()) is damaged", cause: error.message)
        }
        decompressors.give(box, 0)
        guard content.count == length else {
            throw FleetError(
                .corrupted, "\(subject()) is damaged", cause: "it holds \(content.count) bytes instead of \(length)")
        }
        return content
    }

    /// The content of all frames, skippable ones passed over.
    static func decompressFrames(_ bytes: [UInt8], limit: Int, _ subject: String) throws -> [UInt8] {
        do {
            var content: [UInt8] = []
            var stream = try ZstdDecompressionStream(limit: limit)
            try stream.write(bytes.span.bytes) { piece in
                piece.withUnsafeBytes { content.append(contentsOf: $0) }
            }
            try stream.finish()
            return content
        } catch let error as CompressionError {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: error.message)
        }
    }

    private static let compressors = ContextPool<CompressorBox>()
    private static let decompressors = ContextPool<DecompressorBox>()
}

// Guarded by ContextPool: a box is in the hands of one caller at a time.
private final class CompressorBox: @unchecked Sendable {
    var compressor: ZstdCompressor

    init(_ compressor: consuming ZstdCompressor) {
        self.compressor = compressor
    }
}

// Guarded by ContextPool, as above.
private final class DecompressorBox: @unchecked Sendable {
    var decompressor: ZstdDecompressor

    init(_ decompressor: consuming ZstdDecompressor) {
        self.decompressor = decompressor
    }
}

private final class ContextPool<Box: Sendable>: Sendable {
    private let idle = Mutex<[Int: [Box]]>([:])

    func take(_ key: Int) -> Box? {
        idle.withLock { $0[key]?.popLast() }
    }

    func give(_ box: Box, _ key: Int) {
        idle.withLock { idle in
            if idle[key, default: []].count < 16 { idle[key, default: []].append(box) }
        }
    }
}
