/// Keeps a backup whatever retention says.
public struct BackupHold: Hashable, Sendable, Codable {
    public var reason: String
    /// Who holds it.
    public var holder: String
    public var since: Timestamp
    /// When it ends by itself; nil for never.
    public var until: Timestamp?

    public init(reason: String, holder: String, since: Timestamp, until: Timestamp? = nil) {
        self.reason = reason
        self.holder = holder
        self.since = since
        self.until = until
    }

    public func isInForce(at time: Timestamp) -> Bool { until.map { time < $0 } ?? true }
}
