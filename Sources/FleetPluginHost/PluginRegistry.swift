public import FleetPluginAPI

/// The plugins at hand, by role and name. The composition root fills it; nobody else names a plugin.
public struct PluginRegistry: Sendable {
    /// Makes a plugin object for one repository, cluster, instance, application or notifier of fleet.yaml.
    public typealias Factory<Plugin> = @Sendable (PluginContext, PluginOptions) throws -> Plugin

    private struct Entry<Plugin>: Sendable {
        var descriptor: PluginDescriptor
        var make: Factory<Plugin>
    }

    private var engines: [String: Entry<any Engine>] = [:]
    private var storages: [String: Entry<any Storage>] = [:]
    private var platforms: [String: Entry<any Platform>] = [:]
    private var scalers: [String: Entry<any Scaler>] = [:]
    private var probes: [String: Entry<any Probe>] = [:]
    private var notifiers: [String: Entry<any Notifier>] = [:]
    private var verbs: [String: AgentVerb] = [:]
    private var hiddenVerbs: [String: InternalVerb] = [:]
    private var finders: [String: EngineFinder] = [:]

    public init() {}

    public mutating func addEngine(
        _ descriptor: PluginDescriptor, verbs: [AgentVerb] = [], finder: EngineFinder? = nil,
        make: @escaping Factory<any Engine>
    ) {
        engines[descriptor.name] = Entry(descriptor: descriptor, make: make)
        finders[descriptor.name] = finder
        for verb in verbs { self.verbs[verb.name] = verb }
    }

    public mutating func addStorage(_ descriptor: PluginDescriptor, make: @escaping Factory<any Storage>) {
        storages[descriptor.name] = Entry(descriptor: descriptor, make: make)
    }

    public mutating func addPlatform(
        _ descriptor: PluginDescriptor, internalVerbs: [InternalVerb] = [], make: @escaping Factory<any Platform>
    ) {
        platforms[descriptor.name] = Entry(descriptor: descriptor, make: make)
        for verb in internalVerbs { hiddenVerbs[verb.name] = verb }
    }

    public mutating func addScaler(
        _ descriptor: PluginDescriptor, internalVerbs: [InternalVerb] = [], make: @escaping Factory<any Scaler>
    ) {
        scalers[descriptor.name] = Entry(descriptor: descriptor, make: make)
        for verb in internalVerbs { hiddenVerbs[verb.name] = verb }
    }

    public mutating func addProbe(_ descriptor: PluginDescriptor, make: @escaping Factory<any Probe>) {
        probes[descriptor.name] = Entry(descriptor: descriptor, make: make)
    }

    public mutating func addNotifier(_ descriptor: PluginDescriptor, make: @escaping Factory<any Notifier>) {
        notifiers[descriptor.name] = Entry(descriptor: descriptor, make: make)
    }
}

extension PluginRegistry {
    /// What each plugin says of itself, by role and name.
    public var descriptors: [PluginDescriptor] {
        let all =
            engines.values.map(\.descriptor) + storages.values.map(\.descriptor) + platforms.values.map(\.descriptor)
            + scalers.values.map(\.descriptor) + probes.values.map(\.descriptor) + notifiers.values.map(\.descriptor)
        return all.sorted { ($0.role.rawValue, $0.name) < ($1.role.rawValue, $1.name) }
    }

    /// What this plugin says of itself; nil when there is none of the name.
    public func descriptor(_ role: PluginRole, _ name: String) -> PluginDescriptor? {
        descriptors.first { $0.role == role && $0.name == name }
    }

    /// Subcommands of `fleet agent` that plugins bring along, by name.
    public var agentVerbs: [AgentVerb] {
        verbs.values.sorted { $0.name < $1.name }
    }

    /// What can tell which engine is at work for an instance, in the order of the engines' names.
    public var engineFinders: [EngineFinder] {
        finders.sorted { $0.key < $1.key }.map(\.value)
    }

    /// A subcommand of `fleet agent` that only plugins call.
    public func internalVerb(_ name: String) -> InternalVerb? {
        hiddenVerbs[name]
    }

    public func engine(_ name: String, _ context: PluginContext, _ options: PluginOptions) throws -> any Engine {
        try make(engines, .engine, name, context, options)
    }

    public func storage(_ name: String, _ context: PluginContext, _ options: PluginOptions) throws -> any Storage {
        try make(storages, .storage, name, context, options)
    }

    public func platform(_ name: String, _ context: PluginContext, _ options: PluginOptions) throws -> any Platform {
        try make(platforms, .platform, name, context, options)
    }

    public func scaler(_ name: String, _ context: PluginContext, _ options: PluginOptions) throws -> any Scaler {
        try make(scalers, .scaler, name, context, options)
    }

    public func probe(_ name: String, _ context: PluginContext, _ options: PluginOptions) throws -> any Probe {
        try make(probes, .probe, name, context, options)
    }

    public func notifier(_ name: String, _ context: PluginContext, _ options: PluginOptions) throws -> any Notifier {
        try make(notifiers, .notifier, name, context, options)
    }

    private func make<Plugin>(
        _ entries: [String: Entry<Plugin>], _ role: PluginRole, _ name: String, _ context: PluginContext,
        _ options: PluginOptions
    ) throws -> Plugin {
        guard let entry = entries[name] else {
            let known = entries.keys.sorted().joined(separator: ", ")
            throw FleetError(
                .configuration, "there is no \(role.rawValue) plugin \(name)", hint: "there are: \(known)")
        }
        do {
            return try entry.make(context, options)
        } catch {
            throw FleetError(error, "the \(role.rawValue) plugin \(name)").during(context.name)
        }
    }
}
