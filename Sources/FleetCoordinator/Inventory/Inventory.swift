public import FleetConfig
public import FleetPluginAPI
public import FleetPluginHost

/// What fleet.yaml declares, with the plugins that each part is composed of. Made once for a configuration.
public struct Inventory: Sendable {
    public let configuration: FleetConfiguration
    let registry: PluginRegistry
    let servers: any DatabaseServers
    private let stateDirectory: String
    let agentHere: AgentInvocation
    private let resolve: SecretResolver
    private let platforms: [String: any Platform]

    /// - Parameters:
    ///   - stateDirectory: a folder for what plugins must keep; absolute.
    ///   - executable: absolute path of this `fleet` binary.
    public init(
        configuration: FleetConfiguration, registry: PluginRegistry, servers: any DatabaseServers,
        stateDirectory: String, executable: String, resolve: @escaping SecretResolver
    ) throws {
        self.configuration = configuration
        self.registry = registry
        self.servers = servers
        self.stateDirectory = stateDirectory
        self.agentHere = AgentInvocation(executable: executable, configuration: configuration.path)
        self.resolve = resolve
        var platforms: [String: any Platform] = [:]
        for (name, cluster) in configuration.clusters {
            let context = PluginContext(name: name, stateDirectory: stateDirectory, agent: agentHere, resolve: resolve)
            platforms[name] = try registry.platform(cluster.platform.plugin, context, cluster.platform.options)
        }
        self.platforms = platforms
    }

    private func context(_ name: String, in cluster: String? = nil) -> PluginContext {
        let place = cluster.flatMap { name in
            configuration.clusters[name].map {
                ClusterContext(name: name, plugin: $0.platform.plugin, platform: $0.platform.options)
            }
        }
        return PluginContext(
            name: name, stateDirectory: stateDirectory, agent: agentHere, resolve: resolve, cluster: place)
    }
}

extension Inventory {
    /// Every instance, by name.
    public var instances: [Instance] {
        configuration.instances.keys.sorted().compactMap { try? instance($0) }
    }

    /// - Throws: `usage` with the names there are.
    public func instance(_ name: String) throws -> Instance {
        let declared = try declaration(name)
        return Instance(
            name: name, cluster: declared.cluster,
            environment: configuration.clusters[declared.cluster]?.environment ?? "", labels: declared.labels,
            platform: declared.platform, connection: declared.connection)
    }

    public func declaration(_ name: String) throws -> InstanceDeclaration {
        guard let declared = configuration.instances[name] else {
            throw FleetError(
                .usage, "fleet.yaml declares no instance \(name)",
                hint: "it declares: " + configuration.instances.keys.sorted().joined(separator: ", "))
        }
        return declared
    }

    /// What the instance's policy keeps; nothing is asked where it has none.
    public func retention(of instance: String) throws -> Retention {
        let policy = try declaration(instance).policy.flatMap { configuration.policies[$0] }
        return policy?.retention ?? Retention()
    }

    public var applications: [Application] {
        configuration.applications.keys.sorted().compactMap { try? application($0) }
    }

    public func application(_ name: String) throws -> Application {
        let declared = try declaration(ofApplication: name)
        return Application(
            name: name, cluster: declared.cluster,
            environment: configuration.clusters[declared.cluster]?.environment ?? "", uses: declared.uses,
            labels: declared.labels)
    }

    private func declaration(ofApplication name: String) throws -> ApplicationDeclaration {
        guard let declared = configuration.applications[name] else {
            throw FleetError(
                .usage, "fleet.yaml declares no application \(name)",
                hint: "it declares: " + configuration.applications.keys.sorted().joined(separator: ", "))
        }
        return declared
    }

    public func platform(of instance: Instance) throws -> any Platform {
        try platform(ofCluster: instance.cluster)
    }

    public func platform(ofCluster name: String) throws -> any Platform {
        guard let platform = platforms[name] else {
            throw FleetError(
                .usage, "fleet.yaml declares no cluster \(name)",
                hint: "it declares: " + platforms.keys.sorted().joined(separator: ", "))
        }
        return platform
    }

    public func engine(of instance: String) throws -> any Engine {
        let declared = try declaration(instance)
        let use = declared.engine
        return try registry.engine(use.plugin, context(instance, in: declared.cluster), use.options)
    }

    public func scaler(of application: String) throws -> any Scaler {
        let declared = try declaration(ofApplication: application)
        let use = declared.scaler
        return try registry.scaler(use.plugin, context(application, in: declared.cluster), use.options)
    }

    public func probes(of application: String) throws -> [any Probe] {
        guard let declared = configuration.applications[application] else { return [] }
        return try declared.probes.map {
            try registry.probe($0.plugin, context(application, in: declared.cluster), $0.options)
        }
    }

    /// What a stage of the rollout asks besides its applications' probes.
    func probes(ofStage environment: String) throws -> [any Probe] {
        let stage = configuration.rollout.stages.first { $0.environment == environment }
        return try (stage?.probes ?? []).map { try registry.probe($0.plugin, context(environment), $0.options) }
    }

    public func notifiers() throws -> [(name: String, notifier: any Notifier)] {
        try configuration.notifiers.sorted { $0.key < $1.key }.map { name, use in
            (name, try registry.notifier(use.plugin, context(name), use.options))
        }
    }

    /// Names of the repositories that hold this instance's backups, the preferred one first; never empty.
    public func repositoryNames(of instance: String) throws -> [String] {
        let declared = try declaration(instance).repositories
        let names = declared.isEmpty ? try engine(of: instance).ownRepositories : declared
        guard !names.isEmpty else {
            throw FleetError(
                .configuration, "\(instance) has no repository", hint: "name one under repositories: in fleet.yaml")
        }
        return names
    }

    /// The repositories of fleet.yaml that hold this instance's backups, the preferred one first.
    public func repositories(of instance: String) throws -> [EngineContext.Repository] {
        try declaration(instance).repositories.map { name in
            let declared = configuration.repositories[name]
            return EngineContext.Repository(
                name: name, storage: try storage(of: name), plugin: declared?.storage.plugin ?? "",
                options: declared?.storage.options ?? PluginOptions(), secret: declared?.secret)
        }
    }

    public func storage(of repository: String) throws -> any Storage {
        guard let declared = configuration.repositories[repository] else {
            throw FleetError(
                .usage, "fleet.yaml declares no repository \(repository)",
                hint: "it declares: " + configuration.repositories.keys.sorted().joined(separator: ", "))
        }
        return try registry.storage(declared.storage.plugin, context(repository), declared.storage.options)
    }
}
