/// Judges whether an application or instance is well.
public protocol Probe: Sendable {
    /// Asks once, within the deadline. Never throws: what could not be asked is `inconclusive`.
    func judge(_ context: ProbeContext) async -> ProbeVerdict
}

public struct ProbeContext: Sendable {
    /// The instances that the application uses (or the instance itself) and where they answer.
    public var endpoints: [String: Endpoint]
    public var servers: any DatabaseServers
    public var deadline: Duration

    public init(endpoints: [String: Endpoint], servers: any DatabaseServers, deadline: Duration) {
        self.endpoints = endpoints
        self.servers = servers
        self.deadline = deadline
    }
}

public enum ProbeVerdict: Hashable, Sendable, Codable {
    case pass(String)
    case fail(String)
    /// It could not be asked: waits, never passes.
    case inconclusive(String)
}
