import ArgumentParser
import FleetConfig
import FleetPluginAPI
import TerminalUI

/// `fleet clusters list`
struct ClustersList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the clusters that fleet.yaml declares.")

    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> ClusterList {
        ClusterList(try await session.configuration())
    }
}

/// Clusters in JSON.
struct ClusterList: Displayable {
    var clusters: [ClusterView]

    init(_ configuration: FleetConfiguration) {
        clusters = configuration.clusters.sorted { $0.key < $1.key }.map { name, cluster in
            ClusterView(
                name: name, environment: cluster.environment, platform: cluster.platform.plugin, labels: cluster.labels,
                instances: configuration.instances.filter { $0.value.cluster == name }.keys.sorted(),
                applications: configuration.applications.filter { $0.value.cluster == name }.keys.sorted())
        }
    }

    func lines(_ page: Page) -> [StyledText] {
        var table = Table([
            .init("CLUSTER"), .init("ENVIRONMENT"), .init("PLATFORM"), .init("INSTANCES", shrinksTo: 12),
            .init("APPLICATIONS", shrinksTo: 12),
        ])
        for cluster in clusters {
            table.add([
                StyledText(cluster.name, .accent), StyledText(cluster.environment), StyledText(cluster.platform),
                StyledText(cluster.instances.joined(separator: ", ")),
                StyledText(cluster.applications.joined(separator: ", ")),
            ])
        }
        return table.lines(width: page.width)
    }
}

struct ClusterView: Hashable, Codable, Sendable {
    var name: String
    var environment: String
    /// The platform plugin.
    var platform: String
    var labels: [String: String]
    var instances: [String]
    var applications: [String]
}
