public import FleetPluginAPI

/// Everything that fleet must still know after a crash: runs and their journal, leases, observations, requests, marks,
/// audit and durations.
///
/// Every call is one transaction, durable when it returns, and safe beside other processes on the same store. Errors
/// are `FleetError`: `.notFound` for a run that does not exist, `.conflict` where someone else holds what is needed,
/// `.exhausted` for a full disk, `.corrupted` for a damaged store. Nothing secret is ever handed to a store. Neither
/// SQLite nor PostgreSQL can keep a NUL in text: in titles, messages and the audit it becomes U+FFFD.
///
/// Writes to a run's journal carry the lease of whoever carries it out. They fail with `.conflict`, and write nothing,
/// when that lease was released or a newer one was granted (fencing): a process that was taken for dead and comes back
/// cannot write over its successor. A lease that expired but was not taken over still writes. Without a lease (nil)
/// nothing is checked: that is for other processes, such as one that records an approval.
public protocol StateStore: Sendable {
    // MARK: Runs

    /// Adds a run and its steps, all or nothing. `.alreadyExists` when the id is taken.
    func createRun(_ run: RunRecord, steps: [StepRecord]) async throws
    func run(_ id: String) async throws -> RunRecord?
    /// Newest first. Nil states means all.
    func runs(states: Set<RunState>?, limit: Int) async throws -> [RunRecord]
    /// Those of one kind, newest first.
    func runs(kind: String, limit: Int) async throws -> [RunRecord]
    /// The runs whose id begins so, newest first.
    func runs(idPrefix: String) async throws -> [RunRecord]
    /// By index. Empty for a run that does not exist.
    func steps(of run: String) async throws -> [StepRecord]

    // MARK: Leases

    /// Gives the run its lease with all these resources, or none.
    ///
    /// A resource stays with a run that has not ended until it is released, even when the lease expired or its owner
    /// died: what the run left half done must be resumed or aborted first. The lease of a run that has ended gives way
    /// once it expired or its owner is dead. The run itself may take its own lease over under the same two conditions,
    /// with a higher token and other resources if it likes.
    ///
    /// `.conflict` names the holding run, its owner and until when. `isOwnerDead` runs inside the transaction: it must
    /// be quick, must not use the store, and says false when in doubt.
    func acquire(
        run: String, resources: [String], owner: LeaseOwner, duration: Duration, now: Timestamp,
        isOwnerDead: @escaping @Sendable (LeaseOwner) -> Bool
    ) async throws -> Lease
    /// Moves the expiry to `now + duration`; also of a lease that expired, as long as nobody took it over.
    func renew(_ lease: Lease, duration: Duration, now: Timestamp) async throws -> Lease
    /// Gives the lease and its resources back. Does nothing when it is not in force any more.
    func release(_ lease: Lease) async throws
    /// The lease in force, expired or not.
    func lease(of run: String) async throws -> Lease?
    /// Marks as interrupted the running and aborting runs that nobody carries out: the lease expired, its owner is
    /// dead, or there has been none for a minute. Appends `run.interrupted` with the state before to each journal.
    ///
    /// Leases stay as they are. Returns the runs that it marked.
    func markInterrupted(
        now: Timestamp, isOwnerDead: @escaping @Sendable (LeaseOwner) -> Bool
    ) async throws -> [RunRecord]

    // MARK: Journal

    /// Sets state, error and end exactly as given; nil clears.
    func updateRun(
        _ id: String, state: RunState, error: FleetError?, endedAt: Timestamp?, lease: Lease?
    ) async throws
    func setAttribute(run: String, key: String, value: JSONValue, lease: Lease?) async throws
    /// `.conflict` when another run took it back already.
    func markUndone(_ run: String, by: String) async throws
    /// Writes the step's row and the event together.
    @discardableResult
    func updateStep(_ step: StepRecord, event: EventDraft, lease: Lease) async throws -> RunEvent
    @discardableResult
    func appendEvent(run: String, step: String?, event: EventDraft, lease: Lease?) async throws -> RunEvent
    /// In order, those with a higher sequence number.
    func events(of run: String, after sequence: Int64, limit: Int) async throws -> [RunEvent]

    // MARK: Observations

    /// Keeps the value unless a newer one is known.
    func saveObservation(subject: String, value: JSONValue, at: Timestamp) async throws
    func observation(_ subject: String) async throws -> Observation?
    /// By subject.
    func observations(prefix: String) async throws -> [Observation]

    // MARK: Marks of restore sets

    /// Writes a mark down before anything is done, under a name that no other mark has or will have.
    ///
    /// - Throws: `.refused` when the set's name is too long for one.
    func beginMark(set: String, kind: MarkRecord.Kind, by: String, at: Timestamp) async throws -> MarkRecord
    /// Replaces what is known of a mark.
    func saveMark(_ mark: MarkRecord) async throws
    /// Newest first; of all sets when nil.
    func marks(of set: String?, limit: Int) async throws -> [MarkRecord]
    /// How often the set was restored.
    func epoch(of set: String) async throws -> Int
    /// The set is being restored once more. Returns the new epoch.
    @discardableResult
    func raiseEpoch(of set: String) async throws -> Int

    // MARK: Control

    /// Asks whoever carries out the run. `.refused` when it has ended. A pause does not replace a pending abort.
    func requestControl(run: String, _ request: ControlRequest, by: String) async throws
    func pendingControl(run: String) async throws -> PendingControl?
    /// Removes the request if it is still this one: an abort that came after a pause is not lost.
    func clearControl(run: String, _ request: ControlRequest) async throws

    // MARK: Audit

    @discardableResult
    func audit(actor: String, action: String, subject: String, details: JSONValue?) async throws -> AuditEntry
    /// In order, those with a higher sequence number.
    func auditEntries(after sequence: Int64, limit: Int) async throws -> [AuditEntry]
    /// The first sequence number that is missing or whose hash does not fit; nil when the chain is whole.
    func verifyAudit() async throws -> Int64?

    // MARK: Durations

    func recordDuration(
        kind: String, subject: String, bytes: Int64, duration: Duration, at: Timestamp
    ) async throws
    /// The last 20, newest first.
    func durations(kind: String, subject: String) async throws -> [WorkDuration]

    // MARK: The store

    /// The schema that the stored data has.
    var schemaVersion: Int { get async throws }
    /// Ends the connections. Every later call fails.
    func close() async throws
}

extension StateStore {
    @discardableResult
    public func appendEvent(
        run: String, step: String? = nil, kind: String, message: String, details: JSONValue? = nil, lease: Lease?
    ) async throws -> RunEvent {
        try await appendEvent(
            run: run, step: step, event: EventDraft(kind: kind, message: message, details: details), lease: lease)
    }
}
