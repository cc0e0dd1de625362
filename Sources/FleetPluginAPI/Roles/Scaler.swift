/// Takes an application down and brings it back exactly as it was. One scaler object serves one application.
///
/// Every implementation passes `ScalerConformance`.
public protocol Scaler: Sendable {
    /// What is so now.
    func observe() async throws -> ScaleObservation

    /// What would make `quiesce` or `resume` fail that can be known before anything is changed: permissions that are
    /// missing, an owner that would fight it. Each in a sentence; empty when nothing is known to be in the way.
    ///
    /// - Throws: when it cannot be found out.
    func obstacles() async throws -> [String]

    /// Records the present scale where a crash cannot lose it, then takes the application to zero.
    ///
    /// A record that exists is never overwritten: a repeated call after a crash finds the true original in it.
    /// - Throws: `conflict` when another run's record is there.
    func quiesce(run: String) async throws -> QuiesceRecord

    /// Waits until nothing of it is left, what is ending included. Returns what it saw last.
    ///
    /// - Throws: `timedOut` that says what is left.
    func awaitGone(deadline: Duration) async throws

    /// Brings back what the record says and removes the record. Done as well when there is none and all is back.
    ///
    /// - Throws: `conflict` when the record is another run's.
    func resume(_ record: QuiesceRecord) async throws

    /// Waits until as many as the record says are ready.
    func awaitReady(_ record: QuiesceRecord, deadline: Duration) async throws
}

extension Scaler {
    public func obstacles() async throws -> [String] { [] }
}

public struct ScaleObservation: Hashable, Sendable, Codable {
    /// How many there should be.
    public var desired: Int
    /// How many there are, ending ones included.
    public var running: Int
    public var ready: Int
    /// The record of a quiesce that has not been resumed.
    public var record: QuiesceRecord?
    /// What would get in the way (an autoscaler, a restart policy), in sentences.
    public var remarks: [String]

    public init(desired: Int, running: Int, ready: Int, record: QuiesceRecord? = nil, remarks: [String] = []) {
        self.desired = desired
        self.running = running
        self.ready = ready
        self.record = record
        self.remarks = remarks
    }
}

/// What an application was before a run took it down.
public struct QuiesceRecord: Hashable, Sendable, Codable {
    public var run: String
    public var original: Int
    /// More that must be put back, in the scaler's own words.
    public var details: JSONValue

    public init(run: String, original: Int, details: JSONValue = .null) {
        self.run = run
        self.original = original
        self.details = details
    }
}

/// A scaler whose application fleet itself starts and keeps running: what `fleet applications start`, `scale` and
/// `stop` work on. Its count survives restarts of fleet.
public protocol SupervisingScaler: Scaler {
    /// How many fleet.yaml asks for.
    var declaredCount: Int { get }

    /// Sets how many there should be, nil for `declaredCount`; returns once that is durable and in hand.
    ///
    /// - Throws: `conflict` while a run has taken the application down.
    func setDesired(_ count: Int?) async throws
}
