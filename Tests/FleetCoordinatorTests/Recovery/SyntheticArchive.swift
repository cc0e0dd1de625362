import FleetCoordinator
import FleetPluginAPI
import PostgresFormats

/// An archive made of transactions at given places and times, for what real servers cannot be made to do on demand.
struct SyntheticArchive: WALReader {
    struct Commit {
        var timeline: TimelineID
        var lsn: LSN
        var time: Timestamp
        var xid: UInt32
        var isCommit = true

        /// Every record is 64 bytes long here.
        var end: LSN { lsn + 64 }
    }

    static let system = SystemIdentifier(rawValue: 7_300_000_000_000_000_001)
    static let size = WALSegmentName.defaultSegmentSize

    var commits: [Commit] = []
    var points: [(timeline: TimelineID, lsn: LSN, name: String)] = []
    var histories: [TimelineHistory] = [TimelineHistory(timeline: 1)]
    /// Segment numbers by timeline.
    var segments: [TimelineID: Set<UInt64>] = [:]
    var backups: [BackupRecord] = []

    static func time(_ text: String) -> Timestamp {
        Timestamp(rfc3339: "2025-12-18T\(text)Z") ?? Timestamp(microseconds: 0)
    }

    /// The position in the middle of a segment, so far in.
    static func lsn(_ segment: UInt64, _ offset: UInt64 = 0x1000) -> LSN {
        LSN(segment * size + offset)
    }

    mutating func commit(_ segment: UInt64, _ offset: UInt64, at time: String, xid: UInt32, timeline: TimelineID = 1) {
        commits.append(
            Commit(timeline: timeline, lsn: Self.lsn(segment, offset), time: Self.time(time), xid: xid))
    }

    mutating func archive(_ range: ClosedRange<UInt64>, timeline: TimelineID = 1) {
        segments[timeline, default: []].formUnion(range)
    }

    mutating func backup(_ label: String, from start: LSN, to stop: LSN, at time: String, timeline: TimelineID = 1) {
        backups.append(
            BackupRecord(
                label: label, kind: .full, engine: "native", repository: "local", systemIdentifier: Self.system,
                serverVersion: 150_000, timeline: timeline, startLSN: start, stopLSN: stop,
                startTime: Self.time(time) - .seconds(5), stopTime: Self.time(time), size: 1 << 30,
                storedSize: 1 << 28))
    }

    func events(in segment: WALSegmentName, next: WALSegmentName?) async throws -> [WALEvent] {
        events(segment)
    }

    func summary(of segment: WALSegmentName, next: WALSegmentName?) async throws -> WALSegmentSummary {
        summary(segment)
    }

    private func events(_ segment: WALSegmentName) -> [WALEvent] {
        let ends = commits.filter { isIn($0.timeline, $0.lsn, segment) }
            .map {
                WALEvent(
                    start: $0.lsn, end: $0.end,
                    kind: .transactionEnd(xid: $0.xid, time: $0.time, isCommit: $0.isCommit, wasPrepared: false))
            }
        let named = points.filter { isIn($0.timeline, $0.lsn, segment) }
            .map {
                WALEvent(
                    start: $0.lsn, end: $0.lsn + 64,
                    kind: .restorePoint(name: $0.name, time: Timestamp(microseconds: 0)))
            }
        return (ends + named).sorted { $0.start < $1.start }
    }

    /// A timeline's first segment begins with what the older one had written in it.
    private func isIn(_ timeline: TimelineID, _ lsn: LSN, _ segment: WALSegmentName) -> Bool {
        guard segment.start <= lsn, lsn < segment.end else { return false }
        let history = histories.first { $0.timeline == segment.timeline }
        return history?.timeline(at: lsn) == timeline
    }

    private func summary(_ segment: WALSegmentName) -> WALSegmentSummary {
        let events = events(segment)
        let ends = events.compactMap(\.transactionEnd)
        let isLast = segment.number == segments[segment.timeline]?.max()
        return WALSegmentSummary(
            systemIdentifier: Self.system, commits: ends.count(where: \.isCommit),
            aborts: ends.count { !$0.isCommit }, first: ends.first, last: ends.last,
            earliestTime: ends.map(\.time).min(), latestTime: ends.map(\.time).max(),
            lowestXID: ends.map(\.xid).min(), highestXID: ends.map(\.xid).max(),
            restorePoints: events.compactMap(\.restorePoint),
            endOfRecords: isLast ? events.last?.end ?? segment.start : segment.end)
    }

    var catalog: Catalog {
        Catalog(
            backups: backups, timelines: histories,
            segments: segments.flatMap { timeline, numbers in
                numbers.map { WALSegmentName(timeline: timeline, number: $0) }
            }.sorted().map {
                Catalog.ArchivedSegment(name: $0, archivedAt: nil, storedSize: 1000, summary: summary($0))
            }, segmentSize: Self.size)
    }

    func resolver(timeline: TimelineID = 1, primaryClock: String? = nil, now: String = "23:00:00") -> TargetResolver {
        let catalog = catalog
        return TargetResolver(
            RecoveryWorld(
                instance: "orders", catalog: catalog, map: ArchiveMap(catalog), systemIdentifier: Self.system,
                currentTimeline: timeline, primaryClock: primaryClock.map(Self.time), now: Self.time(now), reader: self)
        )
    }

    func resolve(
        _ target: String, timeline: TimelineID? = nil, backup: String? = nil, current: TimelineID = 1,
        primaryClock: String? = nil
    ) async throws -> ResolvedTarget {
        try await resolver(timeline: current, primaryClock: primaryClock).resolve(
            TargetRequest(target: try RecoveryTarget(parsing: target), timeline: timeline, backup: backup))
    }

    /// Commits every minute from 10:00 on, one a segment from segment 2 on, backups at 10:00:30 and 10:05:30.
    static var ordinary: SyntheticArchive {
        var archive = SyntheticArchive()
        archive.archive(1...12)
        for minute in 0..<10 {
            archive.commit(UInt64(2 + minute), 0x1000, at: "10:0\(minute):00", xid: 700 + UInt32(minute))
        }
        archive.backup("first", from: lsn(2, 0x2000), to: lsn(2, 0x3000), at: "10:00:30")
        archive.backup("second", from: lsn(7, 0x2000), to: lsn(7, 0x3000), at: "10:05:30")
        return archive
    }
}
