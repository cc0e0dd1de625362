/// A timeline number; a new one begins with each promotion.
public typealias TimelineID = UInt32

/// How a timeline came about: the ancestors in a `.history` file, oldest first.
///
/// PostgreSQL source: `src/backend/access/transam/timeline.c`.
public struct TimelineHistory: Hashable, Sendable, Codable {
    /// One line of a history file.
    public struct Ancestor: Hashable, Sendable, Codable {
        public var timeline: TimelineID
        /// Where the next timeline left this one.
        public var switchLSN: LSN
        public var reason: String

        public init(timeline: TimelineID, switchLSN: LSN, reason: String) {
            self.timeline = timeline
            self.switchLSN = switchLSN
            self.reason = reason
        }
    }

    /// The timeline that this history belongs to.
    public var timeline: TimelineID
    public var ancestors: [Ancestor]

    public init(timeline: TimelineID, ancestors: [Ancestor] = []) {
        self.timeline = timeline
        self.ancestors = ancestors
    }

    /// A stretch of the path from the beginning of history to the end of this timeline.
    public struct Span: Hashable, Sendable, Codable {
        public var timeline: TimelineID
        public var start: LSN
        /// Where the path leaves the timeline; nil for the newest.
        public var end: LSN?

        public init(timeline: TimelineID, start: LSN, end: LSN?) {
            self.timeline = timeline
            self.start = start
            self.end = end
        }

        public func contains(_ lsn: LSN) -> Bool {
            start <= lsn && (end.map { lsn < $0 } ?? true)
        }
    }

    /// The path of recovery along this timeline, oldest span first.
    ///
    /// A history may say that a timeline was left before it began, where recovery along it stopped earlier: the path
    /// does not take that one, and leaves its ancestor where the younger timeline begins.
    public var path: [Span] {
        var spans = [Span(timeline: timeline, start: ancestors.last?.switchLSN ?? .zero, end: nil)]
        var limit = LSN(.max)
        for (index, ancestor) in ancestors.enumerated().reversed() {
            limit = min(limit, ancestor.switchLSN)
            let start = index > 0 ? ancestors[index - 1].switchLSN : .zero
            if start <= limit { spans.append(Span(timeline: ancestor.timeline, start: start, end: limit)) }
        }
        return spans.reversed()
    }

    /// Where the path leaves `timeline`: nil inside when it ends there, nil outside when the path never takes it.
    public func exit(from timeline: TimelineID) -> LSN?? {
        path.first { $0.timeline == timeline }.map(\.end)
    }

    /// The timeline on whose WAL the position lies, going this path.
    public func timeline(at lsn: LSN) -> TimelineID {
        path.last { $0.start <= lsn }?.timeline ?? timeline
    }
}
