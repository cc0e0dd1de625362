public import FleetPluginAPI

/// What another process asks of whoever carries out a run.
public enum ControlRequest: String, Codable, Sendable, CaseIterable {
    case abort, pause
}

/// A request that has not been answered yet.
public struct PendingControl: Codable, Sendable, Hashable {
    public var request: ControlRequest
    /// Who asked.
    public var by: String
    public var at: Timestamp

    public init(request: ControlRequest, by: String, at: Timestamp) {
        self.request = request
        self.by = by
        self.at = at
    }
}
