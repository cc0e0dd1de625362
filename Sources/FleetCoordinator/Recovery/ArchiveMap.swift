public import FleetPluginAPI

/// The WAL that is known of one instance, archived or read from the running server, laid out by timeline.
public struct ArchiveMap: Sendable {
    public let segmentSize: UInt64
    private let segments: [TimelineID: [UInt64: Catalog.ArchivedSegment]]
    private let histories: [TimelineID: TimelineHistory]
    /// Segments read from the server that are not archived yet.
    private let pending: Set<WALSegmentName>

    /// - Parameter tail: segments of the running server's current timeline that the archive does not hold.
    public init(_ catalog: Catalog, tail: [Catalog.ArchivedSegment] = []) {
        segmentSize = catalog.segmentSize ?? tail.first?.name.segmentSize ?? WALSegmentName.defaultSegmentSize
        var segments: [TimelineID: [UInt64: Catalog.ArchivedSegment]] = [:]
        var pending: Set<WALSegmentName> = []
        for segment in catalog.segments {
            segments[segment.name.timeline, default: [:]][segment.name.number] = segment
        }
        for segment in tail where segments[segment.name.timeline]?[segment.name.number] == nil {
            segments[segment.name.timeline, default: [:]][segment.name.number] = segment
            pending.insert(segment.name)
        }
        self.segments = segments
        self.pending = pending
        var histories: [TimelineID: TimelineHistory] = [:]
        for history in catalog.timelines { histories[history.timeline] = history }
        histories[1] = histories[1] ?? TimelineHistory(timeline: 1)
        self.histories = histories
    }

    public var timelines: [TimelineID] {
        Set(segments.keys).union(histories.keys.filter { segments[$0] != nil || $0 == 1 }).sorted()
    }

    /// How a timeline came about; nil when its history file is missing and it is not the first.
    public func history(of timeline: TimelineID) -> TimelineHistory? {
        histories[timeline]
    }

    public func isPending(_ segment: WALSegmentName) -> Bool {
        pending.contains(segment)
    }

    public func segment(_ number: UInt64, on timeline: TimelineID) -> Catalog.ArchivedSegment? {
        segments[timeline]?[number]
    }

    /// Numbers of the segments of a timeline, sorted.
    public func numbers(on timeline: TimelineID) -> [UInt64] {
        segments[timeline].map { $0.keys.sorted() } ?? []
    }

    /// The segment that recovery along `history` reads for a position; nil when it is missing.
    ///
    /// PostgreSQL tries the newest timeline first that has begun by the segment (`XLogFileReadAnyTLI`). Where a
    /// timeline was left in the middle of a segment, either side's file serves up to the switch. After it, the older
    /// timeline's file would be the abandoned future, which is never accepted here.
    public func segment(_ number: UInt64, along history: TimelineHistory) -> Catalog.ArchivedSegment? {
        for span in history.path.reversed() where span.start.rawValue / segmentSize <= number {
            if let segment = segments[span.timeline]?[number] { return segment }
            guard span.start.rawValue / segmentSize == number else { return nil }
        }
        return nil
    }

    /// The name of the segment that is wanted for a position along a history.
    public func name(_ number: UInt64, along history: TimelineHistory) -> WALSegmentName {
        let timeline = history.path.last { $0.start.rawValue / segmentSize <= number }?.timeline ?? history.timeline
        return WALSegmentName(timeline: timeline, number: number, segmentSize: segmentSize)
    }

    /// Segments without a hole from the one that holds `start`, along `history`, as far as they go.
    public func run(from start: LSN, along history: TimelineHistory) -> [Catalog.ArchivedSegment] {
        var run: [Catalog.ArchivedSegment] = []
        var number = start.rawValue / segmentSize
        while let segment = segment(number, along: history) {
            run.append(segment)
            // Records do not go on after an older timeline's last segment, nor after a damaged one.
            if segment.name.timeline != name(number, along: history).timeline || segment.summary?.ending == .stopped {
                break
            }
            number += 1
        }
        return run
    }

    /// The highest position on this path that any segment covers, holes or not.
    public func farthestNumber(along history: TimelineHistory) -> UInt64? {
        var farthest: UInt64?
        for span in history.path {
            let limit = span.end.map { $0.rawValue / segmentSize } ?? .max
            for number in segments[span.timeline]?.keys ?? [:].keys where number <= limit {
                farthest = max(farthest ?? 0, number)
            }
        }
        return farthest
    }
}
