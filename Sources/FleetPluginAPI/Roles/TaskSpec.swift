/// A program to be run where an instance's data is, described by an engine and carried out by a platform.
public struct TaskSpec: Hashable, Sendable, Codable {
    /// Unique to this piece of work and the same each time it is asked for: a task that runs already under the key
    /// is adopted, not started again. DNS-label characters, at most 52.
    public var key: String
    /// What it does, for people: `restore orders to 2025-12-18T10:30:00Z`.
    public var purpose: String
    public var argv: [String]
    public var environment: [String: String]
    /// Environment variables whose values the platform fetches at launch.
    public var secrets: [String: SecretReference]
    public var volume: VolumeNeed
    /// The task is ended after this time.
    public var deadline: Duration?

    /// What a task needs of the data volume.
    public enum VolumeNeed: String, Hashable, Sendable, Codable {
        case nothing
        case besideRunningServer
        /// The server is stopped and stays so.
        case alone
    }

    public init(
        key: String, purpose: String, argv: [String], environment: [String: String] = [:],
        secrets: [String: SecretReference] = [:], volume: VolumeNeed, deadline: Duration? = nil
    ) {
        self.key = key
        self.purpose = purpose
        self.argv = argv
        self.environment = environment
        self.secrets = secrets
        self.volume = volume
        self.deadline = deadline
    }
}

/// What a task says while it runs: `fleet agent` writes one as a line of JSON on stdout, other programs' lines are
/// turned into these by their engine.
public enum TaskEvent: Hashable, Sendable, Codable {
    case progress(TaskProgress)
    case log(String)
    /// What the task found or made; at most once, last.
    case result(JSONValue)
    /// Why it failed; at most once, last.
    case failure(FleetError)
}

public struct TaskProgress: Hashable, Sendable, Codable {
    /// `copy`, `verify`, `wait for WAL`, …
    public var phase: String
    public var bytesDone: Int64
    /// Nil while not known.
    public var bytesTotal: Int64?

    public init(phase: String, bytesDone: Int64, bytesTotal: Int64?) {
        self.phase = phase
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
    }
}

/// How a task stands.
public enum TaskObservation: Hashable, Sendable, Codable {
    /// No task of this key is known.
    case absent
    case running
    case finished(TaskOutcome)
    /// It was started, is not running, and left no outcome: its machine or supervisor died.
    case lost
}

public struct TaskOutcome: Hashable, Sendable, Codable {
    public var exitStatus: Int32
    public var startedAt: Timestamp
    public var endedAt: Timestamp

    public init(exitStatus: Int32, startedAt: Timestamp, endedAt: Timestamp) {
        self.exitStatus = exitStatus
        self.startedAt = startedAt
        self.endedAt = endedAt
    }
}
