import ArgumentParser
import FleetConfig
import FleetCoordinator

/// `fleet discover`
struct DiscoverCommand: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "discover", abstract: "Find instances in a cluster, declared in fleet.yaml or not.",
        discussion: "Changes nothing. What is not declared yet is also printed as it would stand in fleet.yaml.")

    @Option(help: ArgumentHelp("The cluster to look at; may be repeated. All when left out.", valueName: "name"))
    var cluster: [String] = []
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> Discovery {
        let inventory = try await session.coordinator().inventory
        let clusters = cluster.isEmpty ? inventory.configuration.clusters.keys.sorted() : cluster
        return try await Discovery(of: clusters, in: inventory, registry: session.registry)
    }
}
