import FleetConfig
import FleetCoordinator
import FleetPluginAPI
import FleetPluginHost
import FleetStore

/// What one command works with. Nothing is read or opened before it is asked for.
actor Session {
    nonisolated let registry: PluginRegistry
    nonisolated let console: Console
    private let servers: any DatabaseServers
    private let configurationFile: String?
    private var loaded: FleetConfiguration?
    private var opened: (coordinator: Coordinator, store: any StateStore)?

    init(registry: PluginRegistry, servers: any DatabaseServers, configuration: String?, console: Console) {
        self.registry = registry
        self.servers = servers
        self.configurationFile = configuration
        self.console = console
    }

    /// fleet.yaml, checked.
    ///
    /// - Throws: `ConfigurationError` with every mistake; `configuration` when there is no file.
    func configuration() async throws -> FleetConfiguration {
        if let loaded { return loaded }
        let path = try ConfigurationFile.find(configurationFile)
        console.detail("using \(path)")
        let loader = ConfigLoader(descriptors: registry.descriptors)
        let configuration = try loader.load(path: path)
        loaded = configuration
        return configuration
    }

    /// The coordinator on this fleet.yaml and its state.
    func coordinator() async throws -> Coordinator {
        if let opened { return opened.coordinator }
        let configuration = try await configuration()
        let store = try await SQLiteStore.open(path: configuration.state.sqlite)
        let person = await Person.current()
        let inventory = try Inventory(
            configuration: configuration, registry: registry, servers: servers,
            stateDirectory: ConfigurationFile.folder(of: configuration.state.sqlite),
            executable: try Executable.path(), resolve: Secrets.resolve)
        let coordinator = Coordinator(
            inventory: inventory, store: store, servers: servers, person: person, clock: { Timestamp.now })
        opened = (coordinator, store)
        return coordinator
    }

    /// Ends what was opened.
    func close() async {
        // What fails now was written before.
        try? await opened?.store.close()
        opened = nil
    }
}
