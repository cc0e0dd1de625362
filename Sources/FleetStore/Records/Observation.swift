public import FleetPluginAPI

/// What was seen last of something, and when.
public struct Observation: Codable, Sendable, Hashable {
    /// Such as `instance/orders`.
    public var subject: String
    public var value: JSONValue
    public var at: Timestamp

    public init(subject: String, value: JSONValue, at: Timestamp) {
        self.subject = subject
        self.value = value
        self.at = at
    }
}

/// How long a piece of past work took.
public struct WorkDuration: Codable, Sendable, Hashable {
    /// Such as `restore`.
    public var kind: String
    /// Such as `instance/orders`.
    public var subject: String
    /// How much was moved; 0 where that says nothing.
    public var bytes: Int64
    public var duration: Duration
    public var at: Timestamp

    public init(kind: String, subject: String, bytes: Int64, duration: Duration, at: Timestamp) {
        self.kind = kind
        self.subject = subject
        self.bytes = bytes
        self.duration = duration
        self.at = at
    }
}
