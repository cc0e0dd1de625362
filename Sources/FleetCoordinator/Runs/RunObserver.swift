public import FleetPluginAPI
public import FleetStore

/// Told what happens in a run while it is carried out: for a terminal, a log, a test.
public protocol RunObserver: Sendable {
    func stepChanged(_ step: StepRecord) async
    /// A running step's progress; often, so be quick.
    func progressed(step: String, _ progress: TaskProgress) async
    /// Something worth a line.
    func noted(step: String?, _ message: String) async
}

/// For those who do not watch.
public struct SilentObserver: RunObserver {
    public init() {}
    public func stepChanged(_ step: StepRecord) async {}
    public func progressed(step: String, _ progress: TaskProgress) async {}
    public func noted(step: String?, _ message: String) async {}
}

/// Whoever carries out runs: this process, in a form that others can check for life.
public struct Operator: Sendable {
    /// The person, for the record: `root@host`.
    public var name: String
    public var owner: LeaseOwner
    /// Whether an owner is certainly dead: a process of this machine that is gone. False when in doubt.
    public var isDead: @Sendable (LeaseOwner) -> Bool

    public init(name: String, owner: LeaseOwner, isDead: @escaping @Sendable (LeaseOwner) -> Bool) {
        self.name = name
        self.owner = owner
        self.isDead = isDead
    }
}
