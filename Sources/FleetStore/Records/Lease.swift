public import FleetPluginAPI

/// The right of one process to carry out one run and to act on its resources.
public struct Lease: Codable, Sendable, Hashable {
    public var run: String
    /// The fencing token: higher than that of every lease granted before, over all runs.
    public var token: Int64
    public var owner: LeaseOwner
    /// What no other run may hold meanwhile, such as `instance/orders`; sorted.
    public var resources: [String]
    public var expiresAt: Timestamp

    public init(run: String, token: Int64, owner: LeaseOwner, resources: [String], expiresAt: Timestamp) {
        self.run = run
        self.token = token
        self.owner = owner
        self.resources = resources
        self.expiresAt = expiresAt
    }
}

/// A process, named so that a later one with the same pid, on the same host or after a reboot, is not taken for it.
public struct LeaseOwner: Codable, Sendable, Hashable {
    public var host: String
    /// Changes with every boot of the host.
    public var bootID: String
    public var pid: Int32
    /// When the process started, in clock ticks since boot.
    public var startTicks: UInt64

    public init(host: String, bootID: String, pid: Int32, startTicks: UInt64) {
        self.host = host
        self.bootID = bootID
        self.pid = pid
        self.startTicks = startTicks
    }
}
