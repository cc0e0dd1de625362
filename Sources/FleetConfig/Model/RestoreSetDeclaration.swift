public import FleetPluginAPI

/// Instances that must be restored to one mutually consistent point.
public struct RestoreSetDeclaration: Hashable, Sendable {
    /// Names of instances, in the order in which the applications write to them.
    public var members: [String]
    /// The database that belongs to the set, by member; `postgres` where none is named.
    public var databases: [String: String]
    public var fence: Fence?
    /// Where effects may run only one way; the members' order where none is declared.
    public var causality: [Causality]
    public var invariants: [Invariant]
    /// A regular expression with one group: what the names of one transaction's sides have in common.
    public var transactions: String?
    /// How far apart members may be that are restored to a time by their own clocks.
    public var clockTolerance: Duration

    /// How writers are held while a mark is made.
    public struct Fence: Hashable, Sendable {
        /// Tables by member, as SQL names them, or nil where the applications hold a key.
        public var tables: [String: [String]]
        public var advisoryKey: AdvisoryKey?
        /// How long one lock is waited for.
        public var patience: Duration
        /// How long is tried, in all.
        public var deadline: Duration

        public init(
            tables: [String: [String]] = [:], advisoryKey: AdvisoryKey? = nil, patience: Duration = .milliseconds(300),
            deadline: Duration = .seconds(20)
        ) {
            self.tables = tables
            self.advisoryKey = advisoryKey
            self.patience = patience
            self.deadline = deadline
        }
    }

    /// Of `pg_advisory_xact_lock(first, second)`.
    public struct AdvisoryKey: Hashable, Sendable {
        public var first: Int32
        public var second: Int32

        public init(first: Int32, second: Int32) {
            self.first = first
            self.second = second
        }
    }

    /// What is written to `effect` follows from what was written to `cause` before.
    public struct Causality: Hashable, Sendable {
        public var cause: String
        public var effect: String

        public init(cause: String, effect: String) {
            self.cause = cause
            self.effect = effect
        }
    }

    public init(
        members: [String], databases: [String: String] = [:], fence: Fence? = nil, causality: [Causality] = [],
        invariants: [Invariant] = [], transactions: String? = nil, clockTolerance: Duration = .milliseconds(500)
    ) {
        self.clockTolerance = clockTolerance
        self.transactions = transactions
        self.members = members
        self.databases = databases
        self.fence = fence
        self.causality = causality
        self.invariants = invariants
    }

    public func database(of member: String) -> String { databases[member] ?? "postgres" }

    /// What is held of a member; nil where nothing is declared for it.
    public func hold(of member: String) -> FenceHold? {
        if let key = fence?.advisoryKey { return .advisory(key.first, key.second) }
        return fence?.tables[member].map { .tables($0) }
    }
}

/// What must hold between the members of a restore set.
public struct Invariant: Hashable, Sendable, Codable {
    public var name: String
    public var rule: Rule

    public enum Rule: Hashable, Sendable, Codable {
        /// Every key of the one is among those of the other.
        case subset(Query, within: Query)
        /// All have the same keys.
        case equal([Query])
        /// The values add up to this.
        case sum([Query], equals: Double)
        /// A check of one member.
        case check(member: String, DataCheck)
    }

    /// A statement and where it is asked.
    public struct Query: Hashable, Sendable, Codable {
        public var member: String
        public var database: String
        public var sql: String

        public init(member: String, database: String, sql: String) {
            self.member = member
            self.database = database
            self.sql = sql
        }
    }

    public init(name: String, rule: Rule) {
        self.name = name
        self.rule = rule
    }
}
