public import FleetPluginAPI
import PostgresFormats

/// The WAL that recovery would read from a backup on, along a timeline's history, up to the first hole.
struct ReplayPath: Sendable {
    let history: TimelineHistory
    /// Without a hole between them.
    let run: [Catalog.ArchivedSegment]
    /// The first segment that is missing.
    let missing: WALSegmentName
    /// Whether WAL is known behind the missing segment: then it is a gap, else merely the end.
    let isCutByGap: Bool
    private let reader: any WALReader

    init(from start: LSN, along history: TimelineHistory, _ map: ArchiveMap, _ reader: any WALReader) {
        self.history = history
        self.reader = reader
        run = map.run(from: start, along: history)
        let number = run.last.map { $0.name.number + 1 } ?? start.rawValue / map.segmentSize
        missing = map.name(number, along: history)
        isCutByGap = (map.farthestNumber(along: history) ?? 0) > number
    }

    /// The end of the last whole record.
    var end: LSN {
        guard let last = run.last else { return .zero }
        return last.summary?.endOfRecords ?? last.name.end
    }

    /// The first commit or abort from `start` on whose time is later than `time`: recovery stops before it.
    func firstEnd(after time: Timestamp, from start: LSN) async throws -> WALSegmentSummary.TransactionEnd? {
        for (index, segment) in run.enumerated() where segment.name.end > start {
            let summary = try await summary(at: index)
            guard let latest = summary.latestTime, latest > time else { continue }
            let events = try await events(at: index)
            if let event = events.first(where: { $0.start >= start && $0.endsRecovery(toTime: time) }) {
                return event.transactionEnd
            }
        }
        return nil
    }

    /// The last commit that ends at or before `lsn`.
    func lastCommit(before lsn: LSN) async throws -> WALSegmentSummary.TransactionEnd? {
        for index in run.indices.reversed() where run[index].name.start < lsn {
            let summary = try await summary(at: index)
            guard summary.commits > 0 else { continue }
            if let last = summary.last, last.isCommit, last.end <= lsn, owns(last.start, index) { return last }
            let events = try await events(at: index)
            if let event = events.last(where: { $0.isCommit && $0.end <= lsn }) { return event.transactionEnd }
        }
        return nil
    }

    /// The end of this transaction, if it ends on this path.
    func end(ofTransaction xid: UInt32, from start: LSN) async throws -> WALSegmentSummary.TransactionEnd? {
        for (index, segment) in run.enumerated() where segment.name.end > start {
            let summary = try await summary(at: index)
            guard let low = summary.lowestXID, let high = summary.highestXID, low <= xid, xid <= high else { continue }
            let events = try await events(at: index)
            if let event = events.first(where: { $0.start >= start && $0.endsRecovery(toXID: xid) }) {
                return event.transactionEnd
            }
        }
        return nil
    }

    /// Restore points of this name on the path, oldest first.
    func restorePoints(named name: String) async throws -> [WALSegmentSummary.RestorePoint] {
        var found: [WALSegmentSummary.RestorePoint] = []
        for index in run.indices {
            found += try await summary(at: index).restorePoints.filter { $0.name == name && owns($0.end, index) }
        }
        return found
    }

    /// Commits that begin at or after `lsn`.
    func commits(from lsn: LSN) async throws -> LostCommits {
        var lost = LostCommits()
        for (index, segment) in run.enumerated() where segment.name.end > lsn {
            let summary = try await summary(at: index)
            guard summary.commits > 0 else { continue }
            if segment.name.start >= lsn, index != boundaryIndex {
                lost.add(count: summary.commits, first: summary.earliestTime, last: summary.latestTime)
            } else {
                for event in try await events(at: index) where event.isCommit && event.start >= lsn {
                    lost.add(count: 1, first: event.transactionEnd?.time, last: event.transactionEnd?.time)
                }
            }
        }
        return lost
    }

    /// Commits that begin in one segment of the run, in order.
    func commits(inSegment index: Int) async throws -> [WALSegmentSummary.TransactionEnd] {
        guard try await summary(at: index).commits > 0 else { return [] }
        return try await events(at: index).filter(\.isCommit).compactMap(\.transactionEnd)
    }

    /// The largest of each setting that replay of this path will ask of a hot standby.
    func parameterChanges() -> [RecoveryParameters] {
        run.flatMap { $0.summary?.parameterChanges ?? [] }
    }
}

extension ReplayPath {
    /// A summary with the record that goes on in the next segment counted in.
    private func summary(at index: Int) async throws -> WALSegmentSummary {
        if let summary = run[index].summary, index != boundaryIndex, summary.unfinished == nil { return summary }
        return try await WALJoin.summary(of: run[index], next: next(index), reader: reader)
    }

    private func events(at index: Int) async throws -> [WALEvent] {
        try await reader.events(in: run[index].name, next: next(index)?.name).filter { owns($0.start, index) }
    }

    private func next(_ index: Int) -> Catalog.ArchivedSegment? {
        index + 1 < run.count ? run[index + 1] : nil
    }

    /// The segment of an older timeline in which the path leaves it: what follows in it is an abandoned future.
    private var boundaryIndex: Int? {
        run.firstIndex { segment in
            guard let exit = history.exit(from: segment.name.timeline), let end = exit else { return false }
            return segment.name.start < end && end < segment.name.end
        }
    }

    /// Whether a position of this segment lies on the path.
    private func owns(_ lsn: LSN, _ index: Int) -> Bool {
        guard let exit = history.exit(from: run[index].name.timeline), let end = exit else { return true }
        return lsn < end
    }
}

/// Commits that a restore would lose.
public struct LostCommits: Hashable, Sendable, Codable {
    public var count = 0
    public var first: Timestamp?
    public var last: Timestamp?
    /// Nil when all is known. A server that is down may have committed more after this time than it archived.
    public var unknownAfter: Timestamp?

    mutating func add(count more: Int, first earlier: Timestamp?, last later: Timestamp?) {
        count += more
        if let earlier { first = min(first ?? earlier, earlier) }
        if let later { last = max(last ?? later, later) }
    }
}
