import ArgumentParser
import FleetConfig
import FleetCoordinator
import FleetPluginAPI
import FleetPluginHost
import TerminalUI

/// `fleet discover`
struct DiscoverCommand: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "discover", abstract: "Find instances in a cluster, declared in fleet.yaml or not.",
        discussion: "Changes nothing. What is not declared yet is also printed as it would stand in fleet.yaml.")

    @Option(help: ArgumentHelp("The cluster to look at; may be repeated. All when left out.", valueName: "name"))
    var cluster: [String] = []
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> Discovery {
        let coordinator = try await session.coordinator()
        let inventory = coordinator.inventory
        let clusters = cluster.isEmpty ? inventory.configuration.clusters.keys.sorted() : cluster
        var found: [DiscoveredView] = []
        for name in clusters {
            // Clusters that are the same place, as prod and dev of one host, hold the same instances.
            guard let platform = inventory.configuration.clusters[name]?.platform else { continue }
            guard !looked.contains(platform) else { continue }
            looked.append(platform)
            let identity = session.registry.identity(ofPlatform: platform.plugin)
            for var instance in try await inventory.platform(ofCluster: name).discover() {
                let declared = inventory.instances.first { declared in
                    inventory.configuration.clusters[declared.cluster]?.platform == platform && !identity.isEmpty
                        && identity.allSatisfy { declared.platform.values[$0] == instance.platform.values[$0] }
                }
                if declared == nil {
                    instance.suggestedName = Self.free(instance.suggestedName, names)
                    names.insert(instance.suggestedName)
                }
                found.append(
                    DiscoveredView(instance, cluster: declared?.cluster ?? name, declaredAs: declared?.name))
            }
        }
        return Discovery(instances: found)
    }
}

/// Found instances in JSON.
struct Discovery: Displayable {
    var instances: [DiscoveredView]

    func lines(_ page: Page) -> [StyledText] {
        guard !instances.isEmpty else { return ["no instances were found"] }
        var table = Table([
            .init("FOUND", shrinksTo: 12), .init("CLUSTER"), .init("VERSION"), .init("STATE"),
            .init("DECLARED AS"), .init("WHERE", shrinksTo: 20),
        ])
        for instance in instances {
            table.add([
                StyledText(instance.suggestedName, .accent), StyledText(instance.cluster),
                StyledText(instance.majorVersion ?? "?"),
                instance.isRunning ? StyledText("running", .good) : StyledText("stopped", .caution),
                instance.declaredAs.map { StyledText($0) } ?? StyledText("not declared", .caution),
                StyledText(instance.place),
            ])
        }
        let remarks = instances.flatMap { instance in
            instance.remarks.flatMap { Paragraph.lines("- ", "\(instance.suggestedName): \($0)", page, .faint) }
        }
        return table.lines(width: page.width) + remarks + declaration
    }

    /// What to add to fleet.yaml.
    private var declaration: [StyledText] {
        let missing = instances.filter { $0.declaredAs == nil }
        guard !missing.isEmpty else { return [] }
        var lines: [StyledText] = ["", StyledText("To declare what is not, add to instances: in fleet.yaml", .faint)]
        for instance in missing {
            lines.append(StyledText("  \(instance.suggestedName):"))
            lines.append(StyledText("    cluster: \(instance.cluster)"))
            lines.append("    platform:")
            let options = (try? TextEncoding.yaml(instance.platform)) ?? ""
            lines += options.split(separator: "\n").map { StyledText("      " + $0) }
        }
        return lines
    }
}

struct DiscoveredView: Hashable, Codable, Sendable {
    var suggestedName: String
    var cluster: String
    /// The instance of fleet.yaml that it is; absent when it is none.
    var declaredAs: String?
    /// The `platform:` block to declare it with.
    var platform: [String: JSONValue]
    var systemIdentifier: String?
    var majorVersion: String?
    var isRunning: Bool
    var remarks: [String]

    init(_ found: DiscoveredInstance, cluster: String, declaredAs: String?) {
        suggestedName = found.suggestedName
        self.cluster = cluster
        self.declaredAs = declaredAs
        platform = found.platform.values
        systemIdentifier = found.systemIdentifier.map { "\($0)" }
        majorVersion = found.majorVersion
        isRunning = found.isRunning
        remarks = found.remarks
    }

    /// Its first path, which says most.
    var place: String {
        let texts = platform.sorted { $0.key < $1.key }.compactMap(\.value.string)
        return texts.first { $0.hasPrefix("/") } ?? texts.first ?? ""
    }
}
