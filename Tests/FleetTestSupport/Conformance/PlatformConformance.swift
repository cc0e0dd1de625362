public import FleetPluginAPI

/// What every platform must do. A suite checks each rule with a subject of its own:
/// `@Test(arguments: PlatformConformance.rules) func conforms(_ rule: PlatformConformance.Rule) …`
///
/// The subject's instance has data, is stopped, and belongs to the test alone.
public struct PlatformConformance: Sendable {
    /// Makes a platform object as a coordinator does when it starts: called again wherever a crash is simulated.
    public var makePlatform: @Sendable () throws -> any Platform
    public var instance: Instance
    /// Of the instance: `15`.
    public var majorVersion: String
    /// Whether a connection to the endpoint succeeds.
    public var canConnect: @Sendable (Endpoint) async throws -> Bool
    /// A secret that the platform's resolver knows, and its value.
    public var secret: (reference: SecretReference, value: String)
    /// Unique to this use of the suite; a DNS label.
    public var prefix: String
    /// Whether the platform alone decides how a server ends. Where a kubelet takes part, an immediate stop may be an
    /// orderly one: that it has stopped is all that is promised.
    public var decidesHowServersEnd: Bool

    public init(
        instance: Instance, majorVersion: String, prefix: String, secret: (reference: SecretReference, value: String),
        canConnect: @escaping @Sendable (Endpoint) async throws -> Bool,
        decidesHowServersEnd: Bool = true, makePlatform: @escaping @Sendable () throws -> any Platform
    ) {
        self.instance = instance
        self.majorVersion = majorVersion
        self.prefix = prefix
        self.secret = secret
        self.canConnect = canConnect
        self.decidesHowServersEnd = decidesHowServersEnd
        self.makePlatform = makePlatform
    }

    public struct Rule: Sendable, CustomStringConvertible {
        public let description: String
        public var check: @Sendable (PlatformConformance) async throws -> Void
    }

    public static let rules: [Rule] = [
        Rule(description: "servers start and stop, again and again") { try await $0.checkLifecycle() },
        Rule(description: "a task runs once and is found again") { try await $0.checkTasks() },
        Rule(description: "tasks end when they must") { try await $0.checkTaskEndings() },
        Rule(description: "secrets reach the program") { try await $0.checkSecrets() },
        Rule(description: "questions are asked beside the data") { try await $0.checkQueries() },
        Rule(description: "scratch places come and go") { try await $0.checkScratch() },
        Rule(description: "data moves aside and back") { try await $0.checkAside() },
    ]

    func checkLifecycle() async throws {
        let platform = try makePlatform()
        let location = try await platform.location(of: instance)
        try require(location.dataDirectory.hasPrefix("/") && !location.owner.isEmpty, "a location is whole")
        let stopped = try await platform.observe(instance)
        try require(stopped.state == .stopped, "the instance is stopped at first, not \(stopped.state)")
        try require(stopped.majorVersion == majorVersion, "the major version is known")
        try require(stopped.control?.state == "shut down", "pg_control is read")

        try await platform.start(instance, deadline: .seconds(60))
        try require(try await canConnect(platform.endpoint(of: instance)), "a started server accepts connections")
        try await makePlatform().start(instance, deadline: .seconds(60))
        let running = try await makePlatform().observe(instance)
        try require(running.state == .running, "a started server is running, not \(running.state)")
        try require(running.control?.systemIdentifier == stopped.control?.systemIdentifier, "it is the same instance")
        try require(try await !platform.recentLog(of: instance, lines: 5).isEmpty, "a started server has a log")

        try await platform.stop(instance, mode: .fast, deadline: .seconds(60))
        try require(try await platform.observe(instance).state == .stopped, "a stopped server is stopped")
        try require(try await !canConnect(platform.endpoint(of: instance)), "a stopped server accepts no connections")
        try await makePlatform().stop(instance, mode: .fast, deadline: .seconds(60))

        try await platform.start(instance, deadline: .seconds(60))
        try await platform.stop(instance, mode: .immediate, deadline: .seconds(60))
        let crashed = try await platform.observe(instance)
        try require(crashed.state == .stopped, "a server that was stopped immediately is stopped")
        if decidesHowServersEnd { try require(crashed.control?.state == "in production", "it ended as by a crash") }
        try await platform.start(instance, deadline: .seconds(60))
        try await platform.stop(instance, mode: .fast, deadline: .seconds(60))
    }

    func checkScratch() async throws {
        let request = ScratchRequest(
            name: "\(prefix)-scratch", source: instance, place: nil, majorVersion: majorVersion,
            tablespaces: [BackupRecord.Tablespace(oid: 16_500, path: "/srv/fast")])
        let place = try await makePlatform().makeScratch(request)
        let again = try await makePlatform().makeScratch(request)
        try require(place == again, "a repeated makeScratch returns the same place")
        try require(place.tablespaces["/srv/fast"] != nil, "every tablespace has a place")
        let platform = try makePlatform()
        try require(try await platform.observe(place.instance).state == .absent, "nothing is in a new scratch place")
        let scratch = try await platform.location(of: place.instance)
        let source = try await platform.location(of: instance)
        try require(scratch.dataDirectory != source.dataDirectory, "a scratch place is not the source's")
        try require(scratch.owner == source.owner, "a scratch place has the source's owner")
        let endpoint = try await platform.endpoint(of: place.instance)
        try require(try await endpoint != platform.endpoint(of: instance), "a scratch server has its own endpoint")
        try await platform.removeScratch(request)
        try await makePlatform().removeScratch(request)
    }

    func checkAside() async throws {
        let tag = "\(prefix)-tag"
        let before = try await makePlatform().observe(instance)
        try await makePlatform().start(instance, deadline: .seconds(60))
        try await requireError(.refused, of: "setAside of a running server") {
            try await makePlatform().setAside(instance, tag: tag)
        }
        try await makePlatform().stop(instance, mode: .fast, deadline: .seconds(60))
        try await makePlatform().setAside(instance, tag: tag)
        try await makePlatform().setAside(instance, tag: tag)
        try require(try await makePlatform().observe(instance).state == .absent, "the place is empty after setAside")
        try await makePlatform().putBack(instance, tag: tag)
        try await makePlatform().putBack(instance, tag: tag)
        let after = try await makePlatform().observe(instance)
        try require(after.state == .stopped, "the data is back after putBack")
        try require(after.control?.systemIdentifier == before.control?.systemIdentifier, "it is the same data")
        try await makePlatform().discardAside(instance, tag: tag)
        try await makePlatform().discardAside(instance, tag: tag)
        try require(
            try await makePlatform().observe(instance).state == .stopped, "discardAside leaves what is in place")
    }
}
