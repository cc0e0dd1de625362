import FleetPluginAPI
import Testing

@testable import KubernetesClient

@Suite struct LogCursorTests {
    private func line(_ nanoseconds: Int64, _ text: String) throws -> StampedLine {
        let time = Timestamp(microseconds: nanoseconds / 1000)
        let whole = time.description.prefix { $0 != "." && $0 != "Z" }
        let fraction = String(String(nanoseconds % 1_000_000_000 + 1_000_000_000).dropFirst())
        return try #require(StampedLine(Array("\(whole).\(fraction)Z \(text)".utf8)))
    }

    @Test func stampsAreReadToTheNanosecond() throws {
        let line = try #require(StampedLine(Array("2026-01-02T03:04:05.123456789Z a  b".utf8)))
        #expect(line.nanoseconds % 1_000_000_000 == 123_456_789)
        #expect(line.line == LogLine(time: Timestamp(microseconds: line.nanoseconds / 1000), text: "a  b"))
        #expect(StampedLine(Array("2026-01-02T03:04:05.5Z x".utf8))?.nanoseconds.description.suffix(9) == "500000000")
        #expect(StampedLine(Array("2026-01-02T03:04:05+01:00 x".utf8)) != nil)
        #expect(StampedLine(Array("2026-01-02T03:04:05Z ".utf8))?.text.isEmpty == true)
        for text in ["", "no stamp", "2026-01-02T03:04:05Zx", "2026-13-02T03:04:05.1Z x"] {
            #expect(StampedLine(Array(text.utf8)) == nil)
        }
    }

    /// A log with repeated lines, equal stamps and stamps a little out of order, read over many connections that are
    /// cut anywhere: every line once, in order.
    @Test func noLineIsLostOrRepeatedWhereverItIsCut() throws {
        for _ in 0..<300 {
            var time: Int64 = 1_700_000_000_000_000_000
            var log: [StampedLine] = []
            for _ in 0..<Int.random(in: 1...200) {
                time += [0, 0, 1000, 40_000_000, 900_000_000].randomElement() ?? 0
                let jitter = Int64.random(in: 0...3_000_000)
                log.append(try line(time - jitter, ["same", "same", "x\(log.count)"].randomElement() ?? ""))
            }
            var cursor = LogCursor()
            var read: [StampedLine] = []
            while read.count < log.count {
                let start = cursor.start
                cursor.rewind()
                let served = log.filter { line in start.map { line.nanoseconds >= $0.microseconds * 1000 } ?? true }
                for line in served.prefix(Int.random(in: 1...max(1, served.count))) where cursor.isNew(line) {
                    read.append(line)
                }
                // A cut that comes before anything new must not stop it for good.
                if served.isEmpty { break }
            }
            #expect(read == log)
        }
    }

    /// What the node no longer has is not waited for.
    @Test func aLogThatWasRotatedGoesOn() throws {
        var cursor = LogCursor()
        let second: Int64 = 1_700_000_000_000_000_000
        let old = try (0..<10).map { try line(second + Int64($0), "old \($0)") }
        let first = old.filter { cursor.isNew($0) }
        #expect(first == old)
        cursor.rewind()
        let later = try [line(second + 20, "new"), line(second + 30, "newer")]
        let again = (old[6...] + later).filter { cursor.isNew($0) }
        #expect(again == later)
        cursor.rewind()
        let last = try line(1_700_000_000_000_000_040, "newest")
        let isNew = cursor.isNew(last)
        #expect(isNew)
    }
}
