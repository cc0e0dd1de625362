import FleetPluginAPI
import HTTPClient

extension KubernetesClient {
    /// All objects of a kind, as they were at one moment.
    ///
    /// Fetched in pages; when a page can no longer be had (410), the whole list is fetched again.
    /// - Parameters:
    ///   - namespace: nil: all namespaces.
    ///   - labels: a label selector, `app=backend,tier!=cache`.
    ///   - fields: a field selector, `spec.nodeName=node-1`.
    /// - Throws: `unsupported` where the server does not know the kind.
    public func list(
        _ kind: ResourceKind, namespace: String? = nil, labels: String? = nil, fields: String? = nil,
        pageSize: Int = 500
    ) async throws -> KubernetesList {
        var request = try APIRequest("list", .get, kind, namespace: namespace)
        if let labels { request.query.append(("labelSelector", labels)) }
        if let fields { request.query.append(("fieldSelector", fields)) }
        for _ in 1...3 {
            if let list = try await pages(request, kind, pageSize) { return list }
        }
        // A list that changes faster than it can be paged through comes whole.
        if let list = try await pages(request, kind, nil) { return list }
        throw FleetError(.unavailable, "\(configuration.contextName): cannot \(request.access): it expires at once")
    }

    /// Nil when a page after the first had expired.
    private func pages(_ request: APIRequest, _ kind: ResourceKind, _ pageSize: Int?) async throws -> KubernetesList? {
        var list = KubernetesList(items: [], resourceVersion: "")
        var next: String?
        repeat {
            var page = request
            if let pageSize { page.query.append(("limit", String(pageSize))) }
            if let next { page.query.append(("continue", next)) }
            let result = try await send(page)
            guard result.isSuccess else {
                if next != nil, KubernetesStatus(result).isExpired { return nil }
                throw await error(result, request.access)
            }
            let answer = try KubernetesJSON.decode(
                result.body, from: "\(configuration.contextName): \(request.access)")
            guard let version = answer.resourceVersion, let items = answer["items"] else {
                throw FleetError(
                    .protocolViolation, "\(configuration.contextName): \(request.access): the answer is no list")
            }
            list.resourceVersion = version
            for item in items.array ?? [] { list.items.append(Self.typed(item, kind)) }
            next = answer["metadata"]?["continue"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while next != nil
        return list
    }

    /// An item of a list with the type that it would have alone.
    static func typed(_ item: JSONValue, _ kind: ResourceKind) -> JSONValue {
        guard case .object(var members) = item, members["kind"] == nil else { return item }
        members["apiVersion"] = .string(kind.apiVersion)
        members["kind"] = .string(kind.kind)
        return .object(members)
    }
}
