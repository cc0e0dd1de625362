public import FleetPluginAPI

/// How far a run is.
public enum RunState: String, Codable, Sendable, CaseIterable {
    case running
    /// For an approval.
    case waiting
    /// Begun, not ended, and nobody carries it out now.
    case interrupted
    case succeeded
    case failed
    case aborting
    case aborted

    /// Whether nothing more will be done.
    public var isEnded: Bool {
        switch self {
        case .succeeded, .failed, .aborted: true
        case .running, .waiting, .interrupted, .aborting: false
        }
    }
}

/// A plan being carried out, or carried out.
public struct RunRecord: Codable, Sendable, Hashable, Identifiable {
    /// As `RunID.make` gives it.
    public var id: String
    /// `restore`, `backup`, ….
    public var kind: String
    /// One line for people.
    public var title: String
    public var state: RunState
    /// The whole plan as JSON text, kept byte for byte: `planHash` is over these bytes.
    public var plan: String
    public var planHash: String
    /// Who started it, as the audit names people.
    public var startedBy: String
    public var createdAt: Timestamp
    /// When anything of this run was last written. The store sets it.
    public var updatedAt: Timestamp
    public var endedAt: Timestamp?
    public var error: FleetError?
    /// The run that this one takes back.
    public var undoes: String?
    /// The run that took this one back.
    public var undoneBy: String?
    public var attributes: [String: JSONValue]

    public init(
        id: String, kind: String, title: String, state: RunState, plan: String, planHash: String, startedBy: String,
        createdAt: Timestamp, updatedAt: Timestamp, endedAt: Timestamp? = nil, error: FleetError? = nil,
        undoes: String? = nil, undoneBy: String? = nil, attributes: [String: JSONValue] = [:]
    ) {
        self.id = id
        self.kind = kind
        self.title = title
        self.state = state
        self.plan = plan
        self.planHash = planHash
        self.startedBy = startedBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.endedAt = endedAt
        self.error = error
        self.undoes = undoes
        self.undoneBy = undoneBy
        self.attributes = attributes
    }
}
