/// What every plugin is given when it is made.
public struct PluginContext: Sendable {
    /// The name of what is being made, as fleet.yaml has it: a repository, a cluster, an application.
    public var name: String
    /// A folder of fleet's own for what must survive a crash; absolute. Plugins keep to a subfolder of their own.
    public var stateDirectory: String
    /// How to call `fleet agent …` on the machine where the coordinator runs.
    public var agent: AgentInvocation
    /// Fetches a secret at the moment it is needed.
    public var resolve: SecretResolver
    /// Where it is, for what is in a cluster: an application, an instance, what judges them.
    public var cluster: ClusterContext?

    public init(
        name: String, stateDirectory: String, agent: AgentInvocation, resolve: @escaping SecretResolver,
        cluster: ClusterContext? = nil
    ) {
        self.name = name
        self.stateDirectory = stateDirectory
        self.agent = agent
        self.resolve = resolve
        self.cluster = cluster
    }
}

/// The cluster that something is in. How it is reached is said once, in its `platform:` block.
public struct ClusterContext: Hashable, Sendable {
    public var name: String
    /// The platform's plugin.
    public var plugin: String
    /// The platform's options.
    public var platform: PluginOptions

    public init(name: String, plugin: String, platform: PluginOptions) {
        self.name = name
        self.plugin = plugin
        self.platform = platform
    }
}

/// Fetches a secret, or throws `FleetError.configuration` that names the reference and not the value.
public typealias SecretResolver = @Sendable (SecretReference) async throws -> Secret

extension [String: SecretReference] {
    /// The values, by the same names.
    public func resolved(_ resolve: SecretResolver) async throws -> [String: Secret] {
        var secrets: [String: Secret] = [:]
        for (name, reference) in self { secrets[name] = try await resolve(reference) }
        return secrets
    }
}

extension SecretReference? {
    /// The value, where there is a reference.
    public func resolved(_ resolve: SecretResolver) async throws -> Secret? {
        guard let self else { return nil }
        return try await resolve(self)
    }
}

/// The beginning of a command line for what runs beside the data.
public struct AgentInvocation: Hashable, Sendable, Codable {
    /// Absolute path of the `fleet` binary as the task sees it.
    public var executable: String
    /// A fleet.yaml (whole, or extracted for one instance) as the task sees it; absolute.
    public var configuration: String

    public init(executable: String, configuration: String) {
        self.executable = executable
        self.configuration = configuration
    }

    /// `fleet --config F agent VERB --instance I ARGUMENTS…`
    public func argv(_ verb: String, instance: String, _ arguments: [String] = []) -> [String] {
        [executable, "--config", configuration, "agent", verb, "--instance", instance] + arguments
    }

    /// `fleet agent VERB ARGUMENTS…`, for an `InternalVerb`.
    public func internalArgv(_ verb: String, _ arguments: [String]) -> [String] {
        [executable, "agent", verb] + arguments
    }
}
