import Testing

@testable import Compression

@Suite struct GzipTests {
    /// What Python's gzip makes of `write-ahead ` a thousand times, and of `log`.
    private static let long: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc6, 0xb1, 0x09, 0x00, 0x20,
        0x0c, 0x00, 0xb0, 0x57, 0x7c, 0xc0, 0xa3, 0x0a, 0x16, 0x74, 0x2d, 0x42, 0xdf, 0xf7, 0x0c, 0x97,
        0x64, 0x4a, 0xd7, 0xb9, 0x39, 0x63, 0x67, 0xac, 0xd1, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
        0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
        0x9f, 0xfe, 0x00, 0x16, 0x18, 0x23, 0xfa, 0xe0, 0x2e, 0x00, 0x00,
    ]
    private static let short: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0xc9, 0x4f, 0x07, 0x00, 0xc5,
        0x68, 0x3f, 0x8f, 0x03, 0x00, 0x00, 0x00,
    ]

    @Test func filesAreReadWhole() throws {
        #expect(try GzipDecompressor.decompress(Self.short, limit: 3) == Array("log".utf8))
        let content = try GzipDecompressor.decompress(Self.long, limit: 12_000)
        #expect(content == (0..<1000).flatMap { _ in Array("write-ahead ".utf8) })
    }

    @Test func membersFollowOneAnother() throws {
        let content = try GzipDecompressor.decompress(Self.short + Self.short, limit: 6)
        #expect(content == Array("loglog".utf8))
    }

    @Test func tooMuchIsRefused() {
        #expect(throws: CompressionError.self) { try GzipDecompressor.decompress(Self.long, limit: 11_999) }
        #expect(throws: CompressionError.self) { try GzipDecompressor.decompress(Self.short + Self.short, limit: 5) }
    }

    @Test func whatIsCutOrChangedIsNoticed() throws {
        let whole = try GzipDecompressor.decompress(Self.long, limit: 20_000)
        for end in 0..<Self.long.count {
            #expect(throws: CompressionError.self) {
                try GzipDecompressor.decompress(Array(Self.long.prefix(end)), limit: 20_000)
            }
        }
        for index in 10..<Self.long.count {
            var bytes = Self.long
            bytes[index] ^= 0x10
            // A bit between the last block and its checksum means nothing.
            if let content = try? GzipDecompressor.decompress(bytes, limit: 20_000) {
                #expect(content == whole, "byte \(index)")
            }
        }
        #expect(throws: CompressionError.self) { try GzipDecompressor.decompress(Self.short + [0], limit: 100) }
    }
}
