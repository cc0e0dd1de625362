public import FleetPluginAPI

/// Who did what to what, and when. Never changed once written.
public struct AuditEntry: Codable, Sendable, Hashable {
    /// 1, 2, 3 … without gaps.
    public var sequence: Int64
    public var time: Timestamp
    public var actor: String
    /// Such as `restore.apply`.
    public var action: String
    public var subject: String
    public var details: JSONValue?
    /// SHA-256 in lower-case hex over the previous entry's hash and this entry's content; see `AuditChain`.
    public var hash: String

    public init(
        sequence: Int64, time: Timestamp, actor: String, action: String, subject: String, details: JSONValue?,
        hash: String
    ) {
        self.sequence = sequence
        self.time = time
        self.actor = actor
        self.action = action
        self.subject = subject
        self.details = details
        self.hash = hash
    }
}
