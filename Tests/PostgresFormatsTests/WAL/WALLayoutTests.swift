import FleetPluginAPI
import PostgresFormats
import Testing

private let noon = Timestamp(microseconds: 1_766_053_800_123_456)

@Suite("WAL, laid out by hand")
struct WALLayoutTests {
    private func events(_ files: [WALSegmentFile], acceptingNewer: Bool = false) throws -> [WALEvent] {
        var scanner = WALScanner(acceptingNewer: acceptingNewer)
        var events: [WALEvent] = []
        for file in files {
            try scanner.scan(file.bytes, name: file.name) { event in
                events.append(event)
                return .proceed
            }
        }
        return events
    }

    @Test(
        "every version's transaction ends are read, with all that may stand in them",
        arguments: [0xD106, 0xD10D, 0xD110, 0xD113, 0xD116, 0xD118] as [UInt16])
    func versions(magic: UInt16) throws {
        var writer = WALWriter(magic: magic)
        writer.filler(300)
        let plain = writer.commit(xid: 700, at: noon)
        let aborted = writer.commit(xid: 701, at: noon - .seconds(1), isAbort: true)
        let full = writer.fullCommit(xid: 702, at: noon + .seconds(2), subtransactions: 100)
        let prepared = writer.fullCommit(xid: 0, at: noon + .seconds(3), prepared: 655)
        let rolledBack = writer.fullCommit(xid: 0, at: noon + .seconds(4), prepared: 800, isAbort: true)
        let point = writer.restorePoint("before the migration", at: noon + .seconds(5))
        let end = writer.position
        let file = try #require(writer.segments.first)

        let segment = try WALSegment(file.bytes, name: file.name)
        let summary = segment.summary
        #expect(
            segment.header.majorVersion == WALWriter.major(magic) && summary.majorVersion == segment.header.majorVersion
        )
        #expect(summary.systemIdentifier.rawValue == writer.systemIdentifier)
        #expect(summary.commits == 3 && summary.aborts == 2)
        #expect(
            summary.first
                == .init(start: plain.start, end: plain.end, time: noon, xid: 700, isCommit: true))
        #expect(
            summary.last
                == .init(
                    start: rolledBack.start, end: rolledBack.end, time: noon + .seconds(4), xid: 800, isCommit: false))
        #expect(summary.earliestTime == noon - .seconds(1) && summary.latestTime == noon + .seconds(4))
        #expect(summary.lowestXID == 655 && summary.highestXID == 800)
        #expect(
            summary.restorePoints
                == [.init(name: "before the migration", time: noon + .seconds(5), end: point.end)])
        #expect(summary.endOfRecords == end && summary.ending == .stopped && summary.unfinished == nil)
        #expect(
            try events([file]).compactMap(\.transactionEnd).map(\.start)
                == [plain.start, aborted.start, full.start, prepared.start, rolledBack.start])
    }

    @Test("a newer version is refused unless it is asked for; a text file is not WAL")
    func magics() throws {
        var writer = WALWriter(magic: 0xD121)
        writer.commit(xid: 5, at: noon)
        let file = try #require(writer.segments.first)
        #expect(throws: FleetError.Code.unsupported) { try code { try WALSegment(file.bytes) } }
        #expect(try WALSegment(file.bytes, acceptingNewer: true).summary.commits == 1)
        var older = WALWriter(magic: 0xD101)
        older.commit(xid: 5, at: noon)
        #expect(throws: FleetError.Code.unsupported) {
            try code { try WALSegment(older.segments[0].bytes, acceptingNewer: true) }
        }
        for bytes in [[], [1, 2, 3], Array("a text file".utf8), Array(repeating: 0, count: 1 << 20)] as [[UInt8]] {
            #expect(throws: FleetError.Code.corrupted) { try code { try WALSegment(bytes) } }
        }
    }

    @Test("a segment under another's name is refused")
    func misnamed() throws {
        var writer = WALWriter()
        writer.commit(xid: 5, at: noon)
        let file = try #require(writer.segments.first)
        var newer = file.name
        newer.timeline = 7
        #expect(try WALSegment(file.bytes, name: newer).summary.commits == 1)
        for wrong in [file.name.next, WALSegmentName(timeline: 1, number: 5)] {
            #expect(throws: FleetError.Code.corrupted) { try code { try WALSegment(file.bytes, name: wrong) } }
        }
    }

    @Test(
        "a record that crosses a segment's end is read wherever the end cuts it",
        arguments: [8, 16, 24, 32, 40, 48, 64, 72, 104, 160])
    func crossing(left: Int) throws {
        var writer = WALWriter()
        let first = writer.commit(xid: 10, at: noon)
        writer.fill(leaving: left)
        let crossing = writer.fullCommit(xid: 11, at: noon + .seconds(1), prepared: 999)
        let last = writer.commit(xid: 12, at: noon + .seconds(2))
        let files = writer.segments
        #expect(files.count == 2)
        #expect(try events(files).compactMap(\.transactionEnd?.start) == [first.start, crossing.start, last.start])

        var summaries = try files.map { try WALSegment($0.bytes, name: $0.name).summary }
        #expect(summaries[0].commits == 1 && summaries[1].commits == 1 && summaries[0].ending == .full)
        #expect(summaries[0].endOfRecords == crossing.start && summaries[0].unfinished?.lsn == crossing.start)
        #expect(summaries[1].continuation?.end == crossing.end)
        summaries = try summaries.map { try JSONRoundTrip.of($0) }
        var (previous, next) = (summaries[0], summaries[1])
        #expect(WALSegmentSummary.join(previous: &previous, next: &next) == .joined)
        #expect(
            previous.last
                == .init(start: crossing.start, end: crossing.end, time: noon + .seconds(1), xid: 999, isCommit: true))
        #expect(previous.commits == 2 && next.commits == 1)
        #expect(previous.unfinished == nil && next.continuation == nil)
        #expect(WALSegmentSummary.join(previous: &previous, next: &next) == .nothing)
        #expect(previous.commits == 2)

        // Parts that do not belong together are not joined.
        (previous, next) = (summaries[0], summaries[1])
        next.continuation?.bytes[0] ^= 1
        let before = previous
        #expect(WALSegmentSummary.join(previous: &previous, next: &next) == .mismatched)
        #expect(previous == before)
    }

    @Test("a record over three segments leaves those around it readable", arguments: [false, true])
    func spanning(isCommit: Bool) throws {
        var writer = WALWriter()
        let first = writer.commit(xid: 10, at: noon)
        let long =
            isCommit
            ? writer.fullCommit(xid: 11, at: noon + .seconds(1), subtransactions: 600_000) : writer.filler(2_400_000)
        let last = writer.commit(xid: 12, at: noon + .seconds(2))
        let files = writer.segments
        #expect(files.count == 3)
        let expected = isCommit ? [first.start, long.start, last.start] : [first.start, last.start]
        #expect(try events(files).compactMap(\.transactionEnd?.start) == expected)

        var summaries = try files.map { try WALSegment($0.bytes, name: $0.name).summary }
        #expect(summaries.map(\.commits) == [1, 0, 1])
        #expect(summaries.map(\.ending) == [.full, .full, .stopped])
        #expect(summaries[1].endOfRecords == files[1].name.start || summaries[1].endOfRecords == files[1].name.end)
        var (one, two, three) = (summaries[0], summaries[1], summaries[2])
        #expect(WALSegmentSummary.join(previous: &one, next: &two) == .joined)
        #expect(WALSegmentSummary.join(previous: &two, next: &three) == .joined)
        summaries = [one, two, three]
        #expect(summaries.map(\.commits) == [isCommit ? 2 : 1, 0, 1])
        #expect(one.last?.xid == (isCommit ? 11 : 10))
        #expect(two.continuation == nil && three.continuation == nil)
    }

    @Test("after a crash in the middle of a record the next one overwrites it")
    func overwritten() throws {
        var writer = WALWriter()
        writer.commit(xid: 10, at: noon)
        writer.fill(leaving: 400)
        let last = writer.commit(xid: 11, at: noon)
        writer.fullCommit(xid: 12, at: noon, subtransactions: 500)
        writer.crash(at: writer.segments[1].name.start, lastRecord: last.start)
        writer.record(manager: 0, info: 0xD0, main: Array(repeating: 0, count: 16))
        writer.commit(xid: 13, at: noon)
        let files = writer.segments
        #expect(try events(files).compactMap(\.transactionEnd?.xid) == [10, 11, 13])
        var summaries = try files.map { try WALSegment($0.bytes, name: $0.name).summary }
        #expect(summaries[0].unfinished != nil)
        var next = summaries.removeLast()
        #expect(WALSegmentSummary.join(previous: &summaries[0], next: &next) == .abandoned)
        #expect(summaries[0].commits == 2 && next.commits == 1)
    }

    @Test("a new timeline's first segment begins with the old one's pages")
    func timelineSwitch() throws {
        var writer = WALWriter()
        let old = writer.commit(xid: 10, at: noon)
        writer.filler(20_000)
        writer.timeline = 2
        writer.record(
            manager: 0, info: 0x90,
            main: noon.postgres.littleEndianBytes + UInt32(2).littleEndianBytes + UInt32(1).littleEndianBytes)
        writer.filler(20_000)
        let new = writer.commit(xid: 11, at: noon)
        let file = try #require(writer.segments.first)
        #expect(file.name.timeline == 2)
        let events = try events([file])
        #expect(events.compactMap(\.transactionEnd?.start) == [old.start, new.start])
        #expect(events.contains { $0.kind == .endOfRecovery(timeline: 2, previousTimeline: 1, time: noon) })
        // As a file of timeline 1 its pages would come from the future.
        var wrong = file.name
        wrong.timeline = 1
        let segment = try WALSegment(file.bytes, name: wrong)
        #expect(segment.summary.commits == 1 && segment.summary.ending == .stopped)
    }

    @Test("a switch ends the segment, even where its record ends in the next one")
    func switched() throws {
        var writer = WALWriter()
        writer.commit(xid: 10, at: noon)
        writer.switchSegment()
        writer.commit(xid: 11, at: noon)
        writer.fill(leaving: 16)
        writer.switchSegment()
        writer.commit(xid: 12, at: noon)
        let files = writer.segments
        #expect(files.count == 4)
        #expect(try events(files).compactMap(\.transactionEnd?.xid) == [10, 11, 12])
        var summaries = try files.map { try WALSegment($0.bytes, name: $0.name).summary }
        #expect(summaries.map(\.ending) == [.switched, .full, .stopped, .stopped])
        var (previous, next) = (summaries[1], summaries[2])
        #expect(WALSegmentSummary.join(previous: &previous, next: &next) == .joined)
        summaries[2] = next
        #expect(summaries[2].ending == .switched)
    }

    @Test("segments out of order, of another system, or after the end of WAL are refused")
    func succession() throws {
        var writer = WALWriter()
        writer.filler(2_500_000)
        writer.commit(xid: 10, at: noon)
        let files = writer.segments
        var other = WALWriter(start: files[1].name.start)
        other.systemIdentifier = 1
        other.commit(xid: 9, at: noon)
        for wrong in [
            [files[0], files[2]], [files[1], files[0]], [files[0], other.segments[0]], [files[2], files[2]],
        ] {
            #expect(throws: FleetError.Code.corrupted) { try code { try events(wrong) } }
        }
    }
}
