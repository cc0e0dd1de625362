import FleetPluginAPI

/// What a person asks for when asking for a restore.
public struct RestoreInput: Sendable {
    /// Names; at least one.
    public var instances: [String]
    public var target: TargetRequest
    /// Of members that have another one.
    public var targets: [String: TargetRequest] = [:]
    /// The restore set whose members they are; its mark is the target.
    public var set: SetPlan?
    /// Nil to restore in place.
    public var into: Into?
    public var wayBack: WayBackChoice
    public var options: RestoreOptions

    /// A restore beside the source.
    public struct Into: Sendable {
        /// Of the scratch instance.
        public var name: String
        /// A directory on a host; nil for the platform's choice.
        public var place: String?

        public init(name: String, place: String?) {
            self.name = name
            self.place = place
        }
    }

    public enum WayBackChoice: String, Sendable, CaseIterable {
        /// The archive when the server runs and archives, else the old data directory kept beside.
        case auto
        case setAside = "set-aside"
        case none
    }

    public init(
        instances: [String], target: TargetRequest, into: Into? = nil, wayBack: WayBackChoice = .auto,
        options: RestoreOptions = RestoreOptions(), set: SetPlan? = nil
    ) {
        self.set = set
        self.instances = instances
        self.target = target
        self.into = into
        self.wayBack = wayBack
        self.options = options
    }
}
