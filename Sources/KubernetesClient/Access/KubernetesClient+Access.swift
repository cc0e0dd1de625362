import FleetPluginAPI
import HTTPClient

extension KubernetesClient {
    /// Which of these permissions we do not have, in their order. The server is asked (SelfSubjectAccessReview), which
    /// every user may do; about all of them at the same time.
    public func check(_ access: [AccessCheck]) async throws -> [AccessCheck] {
        let denied = try await withThrowingTaskGroup(of: Int?.self) { group in
            for (index, check) in access.enumerated() {
                group.addTask { try await self.isAllowed(check) ? nil : index }
            }
            return try await group.reduce(into: Set<Int>()) { denied, index in
                if let index { denied.insert(index) }
            }
        }
        return access.indices.filter { denied.contains($0) }.map { access[$0] }
    }

    func isAllowed(_ check: AccessCheck) async throws -> Bool {
        var attributes: [String: JSONValue] = [
            "verb": .string(check.verb), "group": .string(check.group), "resource": .string(check.resource),
        ]
        if let subresource = check.subresource { attributes["subresource"] = .string(subresource) }
        if let namespace = check.namespace { attributes["namespace"] = .string(namespace) }
        if let name = check.name { attributes["name"] = .string(name) }
        var request = APIRequest(
            .review, .post, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            body: [
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": ["resourceAttributes": .object(attributes)],
            ])
        // Nothing is kept of it.
        request.isIdempotent = true
        let answer = try await perform(request)
        guard let allowed = answer["status"]?["allowed"]?.bool else {
            throw FleetError(
                .protocolViolation, "\(configuration.contextName): the API server does not say whether we may \(check)")
        }
        return allowed
    }
}

extension AccessCheck {
    /// The permission to ask for permissions.
    static let review = AccessCheck(
        "create", group: "authorization.k8s.io", resource: "selfsubjectaccessreviews")
}
