import FleetCoordinator
import FleetPluginAPI

/// Which instances a command line means.
enum InstanceChoice {
    /// The instances named, or all of the clusters named, or, where both are, those of the named ones' clusters.
    ///
    /// - Returns: names in the order of the command line, each once; all of them when nothing was named.
    /// - Throws: `usage` for a name that fleet.yaml does not have, and for an instance of another cluster.
    static func names(
        _ instances: [String], clusters: [String] = [], in inventory: Inventory
    ) throws -> [String] {
        for cluster in clusters { _ = try inventory.platform(ofCluster: cluster) }
        if instances.isEmpty {
            return inventory.instances.filter { clusters.isEmpty || clusters.contains($0.cluster) }.map(\.name)
        }
        var chosen: [String] = []
        for name in instances where !chosen.contains(name) {
            let instance = try inventory.instance(name)
            guard clusters.isEmpty || clusters.contains(instance.cluster) else {
                throw FleetError(
                    .usage, "\(name) is in cluster \(instance.cluster), not in \(clusters.joined(separator: ", "))")
            }
            chosen.append(name)
        }
        return chosen
    }

    /// A count and its noun: `1 instance`, `3 instances`.
    static func counted(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }
}
