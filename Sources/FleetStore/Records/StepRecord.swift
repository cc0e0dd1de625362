public import FleetPluginAPI

/// How far a step is.
public enum StepState: String, Codable, Sendable, CaseIterable {
    case pending, running, done, skipped, failed, compensating, compensated
}

/// One step of a run.
public struct StepRecord: Codable, Sendable, Hashable {
    public var run: String
    /// Place in the run's order, from 0.
    public var index: Int
    /// Unique within the run.
    public var id: String
    public var kind: String
    /// One line for people.
    public var title: String
    public var state: StepState
    /// How often it was begun.
    public var attempts: Int
    public var startedAt: Timestamp?
    public var endedAt: Timestamp?
    /// What later steps need of this one.
    public var output: JSONValue?
    public var error: FleetError?

    public init(
        run: String, index: Int, id: String, kind: String, title: String, state: StepState = .pending,
        attempts: Int = 0, startedAt: Timestamp? = nil, endedAt: Timestamp? = nil, output: JSONValue? = nil,
        error: FleetError? = nil
    ) {
        self.run = run
        self.index = index
        self.id = id
        self.kind = kind
        self.title = title
        self.state = state
        self.attempts = attempts
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.output = output
        self.error = error
    }
}
