import FleetPluginAPI
import PostgresFormats
import Testing

@Suite("Incremental files")
struct IncrementalFileHeaderTests {
    private func words(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    @Test("the header says what follows and how long the file becomes")
    func header() throws {
        let some = words([0xD3AE_1F0D, 3, 5, 1, 4, 9])
        #expect(try IncrementalFileHeader(some) == nil, "it is padded to a page")
        let padded = some + [UInt8](repeating: 0, count: 8192 - some.count)
        let header = try #require(try IncrementalFileHeader(padded))
        #expect(header.blocks == [1, 4, 9] && header.size == 8192 && header.length == 10)
        let none = try #require(try IncrementalFileHeader(words([0xD3AE_1F0D, 0, 7])))
        #expect(none.size == 12 && none.length == 7 && none.blocks.isEmpty)
        #expect(try IncrementalFileHeader(words([0xD3AE_1F0D, 0])) == nil)
        let many = words([0xD3AE_1F0D, 3000, 0] + (0..<3000).map { UInt32($0) })
        let large = try #require(
            try IncrementalFileHeader(many + [UInt8](repeating: 0, count: 16384 - many.count)))
        #expect(large.size == 16384 && large.length == 3000)
    }

    @Test(
        "anything else is refused",
        arguments: [
            [1, 0, 0], [0xD3AE_1F0D, 2, 0, 4, 4], [0xD3AE_1F0D, 2, 0, 5, 4], [0xD3AE_1F0D, 1, 0, 131_072],
            [0xD3AE_1F0D, 131_073, 0], [0xD3AE_1F0D, 0, 200_000],
        ] as [[UInt32]])
    func damaged(_ given: [UInt32]) {
        let bytes = words(given)
        let error = #expect(throws: FleetError.self) {
            try IncrementalFileHeader(bytes + [UInt8](repeating: 0, count: 8192 - bytes.count))
        }
        #expect(error?.code == .corrupted)
    }
}
