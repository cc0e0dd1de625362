import FleetPluginAPI
import HTTPClient

extension KubernetesClient {
    /// Whether the server knows this kind in this version. What it says counts for a minute.
    public func serves(_ kind: ResourceKind) async throws -> Bool {
        try await resource(group: kind.group, version: kind.version, plural: kind.plural) != nil
    }

    /// A kind in the version that the server prefers among those that have it; nil where none does.
    public func preferredVersion(group: String, plural: String) async throws -> ResourceKind? {
        guard !group.isEmpty else { return try await resource(group: "", version: "v1", plural: plural) }
        guard let answer = try await discover("/apis/\(APIRequest.escaped(group))", group) else { return nil }
        var versions = (answer["versions"]?.array ?? []).compactMap { $0["version"]?.string }
        if let preferred = answer["preferredVersion"]?["version"]?.string {
            versions.removeAll { $0 == preferred }
            versions.insert(preferred, at: 0)
        }
        for version in versions {
            if let kind = try await resource(group: group, version: version, plural: plural) { return kind }
        }
        return nil
    }

    private func resource(group: String, version: String, plural: String) async throws -> ResourceKind? {
        let version = APIRequest.escaped(version)
        let path = group.isEmpty ? "/api/\(version)" : "/apis/\(APIRequest.escaped(group))/\(version)"
        let answer = try await discover(path, group)
        let found = answer?["resources"]?.array?.first { $0["name"]?.string == plural }
        guard let found, let kind = found["kind"]?.string else { return nil }
        return ResourceKind(
            group: group, version: version, plural: plural, kind: kind,
            isNamespaced: found["namespaced"]?.bool ?? false)
    }

    private func discover(_ path: String, _ group: String) async throws -> JSONValue? {
        try await discovery.value(at: path) {
            do {
                return try await perform(
                    APIRequest(AccessCheck("get", group: group, resource: "the list of kinds"), .get, path: path))
            } catch let error as FleetError where error.code == .unsupported || error.code == .notFound {
                return nil
            }
        }
    }
}
