import FleetPluginAPI

/// The places where a member of a set could be stopped: after each of its commits, from a top downwards. WAL is read
/// backwards and only as far as is asked for.
struct CommitHistory: Sendable {
    /// A place to stop at.
    struct Position: Hashable, Sendable {
        /// How many commits before the top it lies.
        var back: Int
        /// Everything that ends at or before this is kept.
        var lsn: LSN
        /// When the last commit that is kept was made, by the member's own clock; nil where none is known.
        var time: Timestamp?
    }

    private let top: LSN
    private let floor: LSN
    private let read: @Sendable (Int) async throws -> [WALSegmentSummary.TransactionEnd]
    /// Parts that were not read yet: those before this one.
    private var unread: Int
    /// Newest first.
    private var commits: [WALSegmentSummary.TransactionEnd] = []

    /// - Parameters:
    ///   - top: no commit that ends after it counts.
    ///   - floor: what ends at or before it cannot be left out, as every backup has it.
    ///   - parts: how many parts there are to read.
    ///   - read: the commits of a part, in order; part 0 is the oldest.
    init(
        top: LSN, floor: LSN, parts: Int,
        read: @escaping @Sendable (Int) async throws -> [WALSegmentSummary.TransactionEnd]
    ) {
        self.top = top
        self.floor = floor
        self.unread = parts
        self.read = read
    }

    /// The place so many commits before the top; nil where no backup lies before it.
    mutating func position(back: Int) async throws -> Position? {
        while commits.count <= back, unread > 0 { try await readPart() }
        guard back < commits.count else { return back == 0 ? Position(back: 0, lsn: top, time: nil) : nil }
        return Position(back: back, lsn: back == 0 ? top : commits[back].end, time: commits[back].time)
    }

    /// The newest place that keeps no newer commit than this time, from the top; nil where no backup lies before it.
    mutating func position(at time: Timestamp) async throws -> Position? {
        var low = 0
        while true {
            if let index = commits[low...].firstIndex(where: { $0.time <= time }) {
                return try await position(back: index)
            }
            guard unread > 0 else { return nil }
            low = commits.count
            try await readPart()
        }
    }

    private mutating func readPart() async throws {
        unread -= 1
        let found = try await read(unread).filter { $0.isCommit && $0.end <= top }
        commits += found.reversed().prefix { $0.end > floor }
        if found.contains(where: { $0.end <= floor }) { unread = 0 }
    }
}

extension CommitHistory {
    /// Of a member's archived WAL up to where its target stops.
    init(of world: RecoveryWorld, to target: ResolvedTarget) throws {
        guard let top = target.stopLSN, let history = world.map.history(of: target.timeline) else {
            throw FleetError(.refused, "where \(world.instance) stops is not known", hint: "search before a time")
        }
        let backups = world.usableBackups.filter(history.isReached(from:))
        let oldest = backups.last ?? target.backup
        let path = ReplayPath(from: oldest.startLSN, along: history, world.map, world.reader)
        self.init(top: top, floor: oldest.stopLSN, parts: path.run.count) { try await path.commits(inSegment: $0) }
    }
}
