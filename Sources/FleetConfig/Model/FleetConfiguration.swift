public import FleetPluginAPI

/// A valid fleet.yaml: every reference resolves, every path is absolute, every plugin option is known.
public struct FleetConfiguration: Hashable, Sendable {
    /// Absolute path of the file.
    public var path: String
    /// The file's bytes: what a plan is bound to.
    public var source: [UInt8]
    public var state: StateLocation
    public var clusters: [String: ClusterDeclaration]
    public var repositories: [String: RepositoryDeclaration]
    public var policies: [String: PolicyDeclaration]
    public var instances: [String: InstanceDeclaration]
    public var applications: [String: ApplicationDeclaration]
    public var restoreSets: [String: RestoreSetDeclaration]
    public var rollout: RolloutDeclaration
    public var alerts: AlertThresholds
    public var notifiers: [String: PluginUse]

    public init(
        path: String, source: [UInt8], state: StateLocation, clusters: [String: ClusterDeclaration],
        repositories: [String: RepositoryDeclaration], policies: [String: PolicyDeclaration],
        instances: [String: InstanceDeclaration], applications: [String: ApplicationDeclaration],
        restoreSets: [String: RestoreSetDeclaration] = [:], rollout: RolloutDeclaration = RolloutDeclaration(),
        alerts: AlertThresholds = AlertThresholds(), notifiers: [String: PluginUse] = [:]
    ) {
        self.path = path
        self.source = source
        self.state = state
        self.clusters = clusters
        self.repositories = repositories
        self.policies = policies
        self.instances = instances
        self.applications = applications
        self.restoreSets = restoreSets
        self.rollout = rollout
        self.alerts = alerts
        self.notifiers = notifiers
    }
}

/// A plugin named in fleet.yaml and its options.
public struct PluginUse: Hashable, Sendable {
    public var plugin: String
    public var options: PluginOptions

    public init(plugin: String, options: PluginOptions = PluginOptions()) {
        self.plugin = plugin
        self.options = options
    }
}

public struct StateLocation: Hashable, Sendable {
    /// Absolute path of the SQLite file.
    public var sqlite: String

    public init(sqlite: String) {
        self.sqlite = sqlite
    }
}

public struct ClusterDeclaration: Hashable, Sendable {
    public var environment: String
    public var platform: PluginUse
    public var labels: [String: String]

    public init(environment: String, platform: PluginUse, labels: [String: String] = [:]) {
        self.environment = environment
        self.platform = platform
        self.labels = labels
    }
}

public struct RepositoryDeclaration: Hashable, Sendable {
    public var storage: PluginUse
    /// The passphrase that encrypts it; nil for none.
    public var secret: RepositorySecret?

    public init(storage: PluginUse, secret: RepositorySecret? = nil) {
        self.storage = storage
        self.secret = secret
    }
}

public struct InstanceDeclaration: Hashable, Sendable {
    public var cluster: String
    public var policy: String?
    /// The `platform:` block.
    public var platform: PluginOptions
    public var engine: PluginUse
    /// Names, in order of preference; empty only where the engine keeps its own.
    public var repositories: [String]
    public var connection: ConnectionOptions
    public var checks: [DataCheck]
    public var masking: [DataMask]
    public var labels: [String: String]

    public init(
        cluster: String, policy: String?, platform: PluginOptions, engine: PluginUse, repositories: [String],
        connection: ConnectionOptions = ConnectionOptions(), checks: [DataCheck] = [], masking: [DataMask] = [],
        labels: [String: String] = [:]
    ) {
        self.masking = masking
        self.cluster = cluster
        self.policy = policy
        self.platform = platform
        self.engine = engine
        self.repositories = repositories
        self.connection = connection
        self.checks = checks
        self.labels = labels
    }
}

public struct ApplicationDeclaration: Hashable, Sendable {
    public var cluster: String
    /// Names of instances.
    public var uses: [String]
    public var scaler: PluginUse
    public var probes: [PluginUse]
    /// Applications that must be back before this one.
    public var after: [String]
    public var labels: [String: String]

    public init(
        cluster: String, uses: [String], scaler: PluginUse, probes: [PluginUse] = [], after: [String] = [],
        labels: [String: String] = [:]
    ) {
        self.cluster = cluster
        self.uses = uses
        self.scaler = scaler
        self.probes = probes
        self.after = after
        self.labels = labels
    }
}
