/// How writers of one database are held while a mark is made.
public enum FenceHold: Hashable, Sendable, Codable {
    /// Tables, as SQL names them. `LOCK TABLE … IN SHARE MODE`: readers go on, writers wait.
    case tables([String])
    /// The key that the applications hold shared in each transaction across databases (`pg_advisory_xact_lock_shared`).
    case advisory(Int32, Int32)
}

/// What a mark must know of a server.
public struct FenceFacts: Hashable, Sendable, Codable {
    public var systemIdentifier: SystemIdentifier
    public var timeline: TimelineID
    public var isInRecovery: Bool
    /// A server that was started again is another one to a fence.
    public var startedAt: Timestamp
    /// Transactions that are prepared and not finished.
    public var preparedTransactions: Int
    /// How long the oldest transaction has been writing; nil when none is.
    public var oldestWriter: Duration?
    /// Tables whose locking the role has no right to.
    public var deniedTables: [String]
    public var mayMark: Bool

    public init(
        systemIdentifier: SystemIdentifier, timeline: TimelineID, isInRecovery: Bool, startedAt: Timestamp,
        preparedTransactions: Int, oldestWriter: Duration?, deniedTables: [String], mayMark: Bool
    ) {
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.isInRecovery = isInRecovery
        self.startedAt = startedAt
        self.preparedTransactions = preparedTransactions
        self.oldestWriter = oldestWriter
        self.deniedTables = deniedTables
        self.mayMark = mayMark
    }
}

/// A session in one database, in which writers are held and restore points made.
///
/// Whatever is held is let go at the latest when the session ends, or has been idle for the time given to `hold`.
/// Errors: `conflict` where a writer would have to be waited for too long, `denied`, `notFound` (a table),
/// `unavailable` when the session is gone, and with it everything it held.
public protocol FenceSession: Sendable {
    /// - Parameter hold: what will be locked, to see whether the role may.
    func facts(_ hold: FenceHold?) async throws -> FenceFacts
    /// The server's clock.
    func clock() async throws -> Timestamp
    /// Holds the writers from here on. Returns the position of WAL at a moment when they are held.
    ///
    /// - Parameters:
    ///   - patience: for one lock; shorter than `deadlock_timeout`, so that the fence gives way and no application.
    ///   - idleLimit: after so long without a word the server lets go by itself.
    func hold(_ hold: FenceHold, patience: Duration, idleLimit: Duration) async throws -> LSN
    /// Holds the writers, makes a restore point and lets go, in one round trip. Returns the end of its record.
    func holdAndMark(_ hold: FenceHold, _ name: String, patience: Duration) async throws -> LSN
    /// Makes a restore point and lets go of what is held, in one round trip. Returns the end of its record.
    ///
    /// - Throws: `unavailable` where what was held is held no more: the mark is worth nothing then.
    func mark(_ name: String) async throws -> LSN
    /// Makes a restore point while nobody is held. Returns the end of its record.
    func point(_ name: String) async throws -> LSN
    /// Lets go.
    func release() async throws
    func close() async
}
