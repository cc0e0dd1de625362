public import FleetPluginAPI

/// One line of a run's journal.
public struct RunEvent: Codable, Sendable, Hashable {
    public var run: String
    /// 1, 2, 3 … within the run, without gaps.
    public var sequence: Int64
    public var time: Timestamp
    /// The step's id, or nil when it concerns the whole run.
    public var step: String?
    public var kind: String
    /// One line for people.
    public var message: String
    public var details: JSONValue?

    public init(
        run: String, sequence: Int64, time: Timestamp, step: String? = nil, kind: String, message: String,
        details: JSONValue? = nil
    ) {
        self.run = run
        self.sequence = sequence
        self.time = time
        self.step = step
        self.kind = kind
        self.message = message
        self.details = details
    }
}

/// An event before the store has given it a run, a sequence number and a time.
public struct EventDraft: Sendable, Hashable {
    public var kind: String
    public var message: String
    public var details: JSONValue?

    public init(kind: String, message: String, details: JSONValue? = nil) {
        self.kind = kind
        self.message = message
        self.details = details
    }
}
