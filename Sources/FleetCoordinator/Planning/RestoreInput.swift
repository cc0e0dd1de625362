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
        /// Of the scratch instance; where there are several, each has its source's name behind it.
        public var name: String
        /// A directory on a host, which holds one for each where there are several; nil for the platform's choice.
        public var place: String?
        /// Whether the source's name stands behind it also where there is but one.
        public var isPrefix: Bool
        /// Whether the masks that are declared are carried out.
        public var isMasked: Bool

        public init(name: String, place: String?, isPrefix: Bool = false, isMasked: Bool = true) {
            self.isMasked = isMasked
            self.isPrefix = isPrefix
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

/// On what terms something is restored, whatever it is and whatever it is restored to.
public struct RestoreTerms: Sendable {
    /// Nil to restore in place.
    public var into: RestoreInput.Into?
    public var wayBack: RestoreInput.WayBackChoice
    public var options: RestoreOptions

    public init(into: RestoreInput.Into? = nil, wayBack: RestoreInput.WayBackChoice, options: RestoreOptions) {
        self.into = into
        self.wayBack = wayBack
        self.options = options
    }
}

extension RestoreInput {
    /// DNS labels have 63 characters, and platforms put a little of their own around a name.
    private static let longestName = 40

    /// What the copy of an instance is called; nil for a restore in place.
    func scratchName(of instance: String) -> String? {
        guard let into else { return nil }
        guard instances.count > 1 || into.isPrefix else { return into.name }
        let name = "\(into.name)-\(instance)"
        guard name.utf8.count > Self.longestName else { return name }
        return "\(name.prefix(Self.longestName - 9))-\(shortHash(name))"
    }

    func scratchPlace(of instance: String) -> String? {
        guard let place = into?.place, instances.count > 1 else { return into?.place }
        return place.hasPrefix("/") ? "\(place)/\(instance)" : place
    }
}
