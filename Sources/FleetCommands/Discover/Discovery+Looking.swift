import FleetConfig
import FleetCoordinator
import FleetPluginAPI
import FleetPluginHost

extension Discovery {
    /// Looks at these clusters; one that cannot be looked at costs its own instances only.
    ///
    /// - Throws: `notFound` for a cluster that fleet.yaml does not declare.
    init(of clusters: [String], in inventory: Inventory, registry: PluginRegistry) async throws {
        let declared = inventory.configuration.clusters
        self.init(instances: [], problems: [])
        var looked: [PluginUse] = []
        for name in clusters {
            let platform = try inventory.platform(ofCluster: name)
            // Clusters that are the same place, as prod and dev of one host, hold the same instances.
            guard let use = declared[name]?.platform, !looked.contains(use) else { continue }
            looked.append(use)
            let identity = registry.identity(ofPlatform: use.plugin)
            let here = inventory.instances.filter { declared[$0.cluster]?.platform == use }
            do {
                for found in try await platform.discover() {
                    let match = here.first { known in
                        !identity.isEmpty
                            && identity.allSatisfy { known.platform.values[$0] == found.platform.values[$0] }
                    }
                    let finding = match == nil ? await Self.engine(of: found, name, platform, registry) : nil
                    add(found, finding, cluster: match?.cluster ?? name, declaredAs: match?.name, in: inventory)
                }
            } catch {
                problems.append(
                    ClusterProblem(cluster: name, error: FleetError(error, "cluster \(name) could not be looked at")))
            }
        }
    }

    /// The engine that backs it up already, where one can be found.
    private static func engine(
        of found: DiscoveredInstance, _ cluster: String, _ platform: any Platform, _ registry: PluginRegistry
    ) async -> EngineFinding? {
        let instance = Instance(
            name: found.suggestedName, cluster: cluster, environment: "", platform: found.platform)
        for finder in registry.engineFinders {
            if let finding = await finder(found, { try await platform.query($0, of: instance) }) { return finding }
        }
        return nil
    }

    private mutating func add(
        _ found: DiscoveredInstance, _ finding: EngineFinding?, cluster: String, declaredAs: String?,
        in inventory: Inventory
    ) {
        var found = found
        found.remarks += finding?.remarks ?? []
        if declaredAs == nil {
            let taken = Set(inventory.configuration.instances.keys).union(instances.map(\.suggestedName))
            found.suggestedName = Self.free(found.suggestedName, taken)
        }
        var view = DiscoveredView(found, cluster: cluster, declaredAs: declaredAs)
        view.engine = finding?.engine.values
        instances.append(view)
    }

    /// The name, or the name with the first number that makes it one that is not taken.
    static func free(_ name: String, _ taken: Set<String>) -> String {
        guard taken.contains(name) else { return name }
        var number = 2
        while taken.contains("\(name)-\(number)") { number += 1 }
        return "\(name)-\(number)"
    }
}
