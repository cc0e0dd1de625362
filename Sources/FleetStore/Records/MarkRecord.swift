public import FleetPluginAPI

/// A restore point of one name on every member of a restore set, and what is known of how it was made.
public struct MarkRecord: Hashable, Sendable, Codable {
    /// `flt.<set>.<epoch>.<sequence>.<kind>`: never used twice.
    public var name: String
    public var set: String
    /// How often the set had been restored when the mark was made.
    public var epoch: Int
    public var sequence: Int
    public var kind: Kind
    public var state: State
    public var createdAt: Timestamp
    /// Who asked for it.
    public var createdBy: String
    /// Why it failed, or why it is not archived.
    public var error: FleetError?
    public var members: [Member]
    /// How often the fence gave way before it stood.
    public var retries: Int

    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Writers of every member were held at one moment: a consistent cut.
        case fenced
        /// The effects' member was marked before the causes': no effect without its cause where causes run one way.
        case ordered
        /// Made at about the same time. Says nothing about what belongs together.
        case loose
    }

    public enum State: String, Hashable, Sendable, Codable, CaseIterable {
        /// Being made; whoever made it may have died.
        case pending
        /// In the WAL of every member, and not yet seen in every archive.
        case created
        /// In every member's archive, read back there.
        case archived
        case failed
    }

    public struct Member: Hashable, Sendable, Codable {
        public var instance: String
        public var database: String
        public var systemIdentifier: SystemIdentifier
        public var timeline: TimelineID
        public var startedAt: Timestamp
        /// The end of the restore point's record; nil where it was not made.
        public var lsn: LSN?
        /// A position at which the writers were held; only of members whose fence stood before the last one's.
        public var heldAt: LSN?
        /// When the mark was asked for and when it was known to be made, on fleet's clock, since the mark's beginning.
        public var sent: Duration
        public var acknowledged: Duration
        /// How long writers may have waited.
        public var held: Duration?
        /// How far the server's clock was ahead of fleet's: at least and at most.
        public var clockAhead: ClosedInterval?
        public var preparedTransactions: Int
        public var isArchived: Bool

        public init(
            instance: String, database: String, facts: FenceFacts, sent: Duration = .zero,
            acknowledged: Duration = .zero
        ) {
            self.instance = instance
            self.database = database
            systemIdentifier = facts.systemIdentifier
            timeline = facts.timeline
            startedAt = facts.startedAt
            preparedTransactions = facts.preparedTransactions
            self.sent = sent
            self.acknowledged = acknowledged
            isArchived = false
        }
    }

    /// In microseconds.
    public struct ClosedInterval: Hashable, Sendable, Codable {
        public var lower: Int64
        public var upper: Int64

        public init(lower: Int64, upper: Int64) {
            self.lower = lower
            self.upper = upper
        }
    }

    public init(
        name: String, set: String, epoch: Int, sequence: Int, kind: Kind, createdAt: Timestamp, createdBy: String
    ) {
        self.name = name
        self.set = set
        self.epoch = epoch
        self.sequence = sequence
        self.kind = kind
        state = .pending
        self.createdAt = createdAt
        self.createdBy = createdBy
        members = []
        retries = 0
    }

    /// Between the first mark's being asked for and the last one's being known: no two members are further apart.
    public var skew: Duration? {
        guard let first = members.map(\.sent).min(), let last = members.map(\.acknowledged).max(), last > .zero else {
            return nil
        }
        return last - first
    }
}
