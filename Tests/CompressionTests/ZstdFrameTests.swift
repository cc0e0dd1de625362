import Compression
import Testing

@Suite("zstd frames")
struct ZstdFrameTests {
    @Test("what was compressed comes back", arguments: [0, 1, 2, 100, 8192, 131_072, 300_001], [-5, 1, 3, 19])
    func roundTrip(size: Int, level: Int) throws {
        var random = SplitMix(seed: UInt64(size))
        let bytes = random.bytes(size)
        var compressor = try ZstdCompressor(level: level, checksum: true)
        var decompressor = try ZstdDecompressor()
        let frame = try compressor.compress(bytes)
        #expect(try ZstdDecompressor.contentSize(frame) == UInt64(size))
        #expect(try decompressor.decompress(frame, limit: size) == bytes)
    }

    @Test("one pair of contexts serves many frames, whatever failed in between")
    func reuse() throws {
        var random = SplitMix(seed: 1)
        var compressor = try ZstdCompressor()
        var decompressor = try ZstdDecompressor()
        for size in [10_000, 0, 77, 50_000] {
            let bytes = random.bytes(size)
            let frame = try compressor.compress(bytes)
            #expect(throws: CompressionError.self) { try decompressor.decompress(Array(frame.dropLast()), limit: size) }
            #expect(try decompressor.decompress(frame, limit: size) == bytes)
        }
    }

    @Test("raw buffers compress as arrays do")
    func buffers() throws {
        var random = SplitMix(seed: 2)
        let bytes = random.bytes(4096)
        var compressor = try ZstdCompressor(level: 1)
        var decompressor = try ZstdDecompressor()
        let fromArray = try compressor.compress(bytes)
        let fromBuffer = try bytes.withUnsafeBytes { try compressor.compress($0) }
        #expect(fromArray == fromBuffer)
        #expect(try fromBuffer.withUnsafeBytes { try decompressor.decompress($0, limit: 4096) } == bytes)
    }

    @Test("a frame larger than allowed is refused before it is decompressed")
    func limit() throws {
        var compressor = try ZstdCompressor()
        var decompressor = try ZstdDecompressor()
        let frame = try compressor.compress(Array(repeating: 0, count: 1 << 24))
        #expect(frame.count < 4096)
        #expect(throws: CompressionError.Code.tooLarge) {
            try code { try decompressor.decompress(frame, limit: 1 << 20) }
        }
    }

    @Test("a header that promises 2^60 bytes allocates nothing")
    func hugePromise() throws {
        // A single-segment frame with an eight-byte content size and one empty last block.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0]
        var decompressor = try ZstdDecompressor()
        #expect(throws: CompressionError.Code.tooLarge) {
            try code { try decompressor.decompress(frame, limit: 1 << 30) }
        }
    }

    @Test("bytes after the frame, skippable frames and other bytes are corruption")
    func notOneFrame() throws {
        var compressor = try ZstdCompressor()
        var decompressor = try ZstdDecompressor()
        let frame = try compressor.compress([1, 2, 3])
        let wrong: [[UInt8]] = [
            frame + [0], frame + frame, [], [0], Array("not zstd at all".utf8), Array(frame.dropFirst()),
            SkippableFrame(kind: 0, data: []).bytes,
        ]
        for bytes in wrong {
            #expect(throws: CompressionError.Code.corrupted) {
                try code { try decompressor.decompress(bytes, limit: 99) }
            }
        }
    }

    @Test("with a checksum no flipped bit passes; without one nothing crashes and no limit is passed")
    func mutations() throws {
        var random = SplitMix(seed: 3)
        let bytes = random.bytes(2000)
        var plain = try ZstdCompressor(level: 3)
        var summed = try ZstdCompressor(level: 3, checksum: true)
        var decompressor = try ZstdDecompressor()
        let frames = (plain: try plain.compress(bytes), summed: try summed.compress(bytes))
        for _ in 0..<2000 {
            var frame = frames.summed
            let position = Int.random(in: frame.indices, using: &random)
            frame[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            if let content = try? decompressor.decompress(frame, limit: 4000) { #expect(content == bytes) }
            frame = frames.plain
            for _ in 0..<3 {
                frame[Int.random(in: frame.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            if let content = try? decompressor.decompress(frame, limit: 4000) { #expect(content.count <= 4000) }
        }
    }

    @Test("a level that zstd does not have is refused")
    func levels() {
        #expect(throws: CompressionError.Code.invalidParameter) { try code { _ = try ZstdCompressor(level: 23) } }
        #expect(throws: CompressionError.Code.invalidParameter) { try code { _ = try ZstdCompressor(level: .max) } }
    }
}

extension CompressionError.Code: Error {}

/// Throws the code of the error that `body` throws, so that a test can name it.
func code<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as CompressionError { throw error.code }
}
