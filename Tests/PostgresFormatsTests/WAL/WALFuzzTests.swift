import FleetPluginAPI
import Testing

@testable import PostgresFormats

@Suite("WAL, damaged and hostile")
struct WALFuzzTests {
    private let noon = Timestamp(microseconds: 1_766_053_800_123_456)

    private func events(_ files: [WALSegmentFile]) -> [WALEvent] {
        var scanner = WALScanner()
        var events: [WALEvent] = []
        for file in files {
            let outcome = try? scanner.scan(file.bytes, name: file.name) { event in
                events.append(event)
                return .proceed
            }
            guard let outcome, outcome.ending != .stopped else { break }
        }
        return events
    }

    /// Some forty kilobytes of WAL over two segments, with something of everything.
    private func sample() -> WALWriter {
        var writer = WALWriter()
        writer.fill(leaving: 20_000)
        for index in 0..<60 as Range<UInt32> {
            writer.commit(xid: 100 + index, at: noon + .seconds(Int(index)), isAbort: index % 5 == 0)
            writer.fullCommit(xid: 200 + index, at: noon, prepared: index % 2 == 0 ? 300 + index : nil)
            writer.filler(70 + 13 * Int(index))
            writer.restorePoint("point \(index)", at: noon)
        }
        return writer
    }

    @Test("what is read of a damaged segment is the beginning of what it held")
    func damage() {
        var random = SplitMix(seed: 11)
        let files = sample().segments
        let whole = events(files)
        #expect(whole.count == 180)
        for _ in 0..<150 {
            var damaged = files
            let place = Int.random(in: (1 << 20) - 22_000..<(1 << 20) + 22_000, using: &random)
            damaged[place >> 20].bytes[place & 0xF_FFFF] ^= UInt8.random(in: 1...255, using: &random)
            #expect(whole.starts(with: events(damaged)))
        }
    }

    @Test("segments cut off, stretched or shuffled yield the beginning of what they held, or an error")
    func mutations() {
        var random = SplitMix(seed: 12)
        let files = sample().segments
        let whole = events(files)
        for _ in 0..<60 {
            var damaged = files
            let index = Int.random(in: 0...1, using: &random)
            let middle = index == 0 ? (1 << 20) - 22_000 : 0
            let part = Array(files[index].bytes[middle..<middle + 22_000])
            damaged[index].bytes.replaceSubrange(middle..<middle + 22_000, with: random.mutated(part))
            #expect(whole.starts(with: events(damaged)))
        }
    }

    @Test("records of any content, their checksums right, neither crash nor hang the reader")
    func hostileRecords() throws {
        var random = SplitMix(seed: 13)
        for magic in [0xD106, 0xD110, 0xD118] as [UInt16] {
            for _ in 0..<400 {
                var writer = WALWriter(magic: magic)
                for _ in 0..<3 {
                    writer.record(
                        manager: UInt8.random(in: 0...1, using: &random), info: .random(in: 0...255, using: &random),
                        main: random.bytes(Int.random(in: 0...400, using: &random)),
                        prefix: random.bytes(Int.random(in: 0...3, using: &random)),
                        blocks: Bool.random(using: &random) ? random.bytes(Int.random(in: 0...30, using: &random)) : [])
                }
                let segment = try WALSegment(writer.segments[0].bytes)
                #expect(segment.summary.endOfRecords <= writer.position)
            }
        }
    }

    @Test("damaged bytes of commits, their checksums right, are read as something or nothing")
    func hostileCommits() throws {
        var random = SplitMix(seed: 14)
        for _ in 0..<800 {
            var main = noon.postgres.littleEndianBytes + UInt32.random(in: 0...511, using: &random).littleEndianBytes
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let count = Bool.random(using: &random) ? UInt32.random(in: 0...4, using: &random) : .max - 3
                main += count.littleEndianBytes + random.bytes(Int.random(in: 0...40, using: &random))
            }
            var writer = WALWriter()
            writer.record(
                manager: 1, info: [0x80, 0xA0, 0xB0, 0xC0, 0x10].randomElement(using: &random) ?? 0, main: main)
            #expect(try WALSegment(writer.segments[0].bytes).summary.commits <= 1)
        }
    }

    @Test("summaries whose parts are invented are not joined, or joined without harm")
    func hostileParts() throws {
        var random = SplitMix(seed: 15)
        var writer = WALWriter()
        writer.fill(leaving: 64)
        writer.fullCommit(xid: 11, at: noon, prepared: 5)
        let summaries = try writer.segments.map { try WALSegment($0.bytes).summary }
        for _ in 0..<1000 {
            var (previous, next) = (summaries[0], summaries[1])
            let front = random.mutated(previous.unfinished?.bytes ?? [])
            let rest = random.mutated(next.continuation?.bytes ?? [])
            previous.unfinished?.bytes = front
            next.continuation?.bytes = rest
            if Bool.random(using: &random) { previous.unfinished?.length = front.count }
            if Bool.random(using: &random) { next.continuation?.length = .random(in: -9...Int.max / 2, using: &random) }
            previous.unfinished?.missing = (next.continuation?.length ?? 0) + (next.continuation?.missing ?? 0)
            WALSegmentSummary.join(previous: &previous, next: &next)
            #expect(previous.commits <= 1)
        }
    }

    @Test("the checksum is CRC-32C")
    func checksum() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([]) == 0)
        // RFC 3720, appendix B.4.
        #expect(CRC32C.checksum(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
        var random = SplitMix(seed: 16)
        let bytes = random.bytes(1000)
        for cut in [0, 1, 7, 8, 9, 15, 16, 17, 500, 999, 1000] {
            var crc = CRC32C()
            crc.update(Array(bytes[..<cut]))
            crc.update(Array(bytes[cut...]))
            #expect(crc.value == CRC32C.checksum(bytes))
            // Processors that have the instruction say the same as the tables do.
            let software = bytes[cut...].withUnsafeBytes { rest in
                rest.baseAddress.map { ~crc32cInSoftware(0xFFFF_FFFF, $0, rest.count, tables: crc32cTables) } ?? 0
            }
            #expect(software == CRC32C.checksum(Array(bytes[cut...])))
        }
    }
}
