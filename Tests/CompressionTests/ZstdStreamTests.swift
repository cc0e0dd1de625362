import Compression
import Testing

@Suite("zstd streams")
struct ZstdStreamTests {
    private func decompress(_ bytes: [UInt8], pieces size: Int, limit: Int, windowLog: Int = 23) throws -> [UInt8] {
        var stream = try ZstdDecompressionStream(limit: limit, windowLog: windowLog)
        var content: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            try stream.write(Array(bytes[start..<min(start + size, bytes.count)])) { slice in
                slice.withUnsafeBytes { content += $0 }
            }
        }
        #expect(stream.count == content.count)
        try stream.finish()
        return content
    }

    @Test("pieces of any size yield the content of all frames", arguments: [1, 7, 4096, 1 << 20])
    func pieces(size: Int) throws {
        var random = SplitMix(seed: 4)
        var compressor = try ZstdCompressor(level: 3, checksum: true)
        // The second fills zstd's output buffer exactly.
        let contents = [
            random.bytes(20_000), Array(repeating: 7, count: 1 << 17), [], random.bytes(size == 1 ? 10 : 300_000),
        ]
        var bytes = SkippableFrame(kind: 3, data: [1, 2, 3]).bytes
        for content in contents { bytes += try compressor.compress(content) }
        bytes += SkippableFrame(kind: 0, data: []).bytes
        #expect(try decompress(bytes, pieces: size, limit: 1 << 20) == contents.flatMap { $0 })
    }

    @Test("content beyond the limit is refused, and none of it is handed out")
    func limit() throws {
        var compressor = try ZstdCompressor()
        let frame = try compressor.compress(Array(repeating: 0, count: 1 << 22))
        var seen = 0
        var stream = try ZstdDecompressionStream(limit: 1 << 20)
        do {
            try stream.write(frame) { seen += $0.byteCount }
            Issue.record("the limit was passed")
        } catch let error as CompressionError {
            #expect(error.code == .tooLarge)
        }
        #expect(seen <= 1 << 20)
    }

    @Test("a window larger than allowed is refused")
    func window() throws {
        var random = SplitMix(seed: 5)
        var compressor = try ZstdCompressor(level: 3)
        let frame = try compressor.compress(random.bytes(1 << 20))
        #expect(throws: CompressionError.Code.tooLarge) {
            try code { try decompress(frame, pieces: 4096, limit: 1 << 21, windowLog: 12) }
        }
    }

    @Test("a stream that ends inside a frame is corruption; one that ends between frames is whole")
    func truncation() throws {
        var compressor = try ZstdCompressor()
        let frame = try compressor.compress(Array(repeating: 9, count: 5000))
        #expect(try decompress([], pieces: 1, limit: 0) == [])
        for length in 1..<frame.count {
            #expect(throws: CompressionError.Code.corrupted) {
                try code { try decompress(Array(frame.prefix(length)), pieces: 100, limit: 5000) }
            }
        }
    }

    @Test("damaged streams fail and do not crash")
    func mutations() throws {
        var random = SplitMix(seed: 6)
        var compressor = try ZstdCompressor(level: 3, checksum: true)
        let bytes = random.bytes(3000)
        let whole = try compressor.compress(bytes)
        for _ in 0..<500 {
            var frame = whole
            frame[Int.random(in: frame.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            if let content = try? decompress(frame, pieces: 333, limit: 3000) {
                #expect(content == bytes || content == [])
            }
        }
    }
}

@Suite("skippable frames")
struct SkippableFrameTests {
    @Test("they are written as the format says")
    func layout() {
        #expect(SkippableFrame(kind: 5, data: [9, 8]).bytes == [0x55, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 8])
    }

    @Test("what was written is read, whatever follows", arguments: 0..<16)
    func roundTrip(kind: Int) throws {
        var random = SplitMix(seed: UInt64(kind))
        let frame = SkippableFrame(kind: UInt8(kind), data: random.bytes(kind * 37))
        let header = try #require(SkippableFrame.peek(frame.bytes))
        #expect(header.kind == UInt8(kind) && header.size == kind * 37)
        #expect(header.frameSize == frame.bytes.count)
        #expect(try SkippableFrame.read(frame.bytes + [1, 2, 3], limit: 1000) == frame)
    }

    @Test("frames that are cut short, too large or none at all are refused")
    func refusals() {
        let bytes = SkippableFrame(kind: 1, data: Array(repeating: 0, count: 100)).bytes
        #expect(SkippableFrame.peek(Array(bytes.prefix(7))) == nil)
        #expect(SkippableFrame.peek([0x28, 0xB5, 0x2F, 0xFD, 0, 0, 0, 0]) == nil)
        #expect(throws: CompressionError.Code.corrupted) {
            try code { try SkippableFrame.read(Array(bytes.prefix(50)), limit: 1000) }
        }
        #expect(throws: CompressionError.Code.corrupted) {
            try code { try SkippableFrame.read([1, 2, 3], limit: 1000) }
        }
        #expect(throws: CompressionError.Code.tooLarge) { try code { try SkippableFrame.read(bytes, limit: 99) } }
        let huge: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 0xFF, 0xFF, 0xFF, 0xFF]
        #expect(throws: CompressionError.Code.corrupted) { try code { try SkippableFrame.read(huge, limit: .max) } }
    }
}
