public import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    public func discover() async throws -> [DiscoveredInstance] {
        var found: [DiscoveredInstance] = []
        for kind in [ResourceKind.statefulSets, .deployments] {
            for object in try await everywhere(kind) {
                if let instance = WorkloadGuess(object, kind)?.discovered { found.append(instance) }
            }
        }
        for kind in OperatorKind.all { found += try await operated(kind) }
        return found.sorted { $0.suggestedName < $1.suggestedName }
    }

    /// In every namespace that may be read: all, or the cluster's own.
    private func everywhere(_ kind: ResourceKind) async throws -> [JSONValue] {
        let client = try await link.client()
        do {
            return try await client.list(kind).items
        } catch let error as FleetError where error.code == .denied {
            let namespace = settings.namespace ?? client.configuration.defaultNamespace
            return try await client.list(kind, namespace: namespace).items
        }
    }

    /// Databases of operators: found and named, so that nobody believes them backed up by fleet.
    private func operated(_ kind: OperatorKind) async throws -> [DiscoveredInstance] {
        let client = try await link.client()
        guard let version = try await client.preferredVersion(group: kind.group, plural: kind.plural) else { return [] }
        let resource = ResourceKind(group: kind.group, version: version.version, plural: kind.plural, kind: kind.kind)
        let objects: [JSONValue]
        do {
            objects = try await everywhere(resource)
        } catch let error as FleetError where error.code == .denied || error.code == .unsupported {
            return []
        }
        return objects.map { kind.discovered($0) }
    }
}
