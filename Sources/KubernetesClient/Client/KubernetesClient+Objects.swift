public import FleetPluginAPI
import HTTPClient

extension KubernetesClient {
    /// - Throws: `notFound`; `unsupported` where the server does not know the kind.
    public func get(_ reference: ObjectReference) async throws -> JSONValue {
        try await perform(
            APIRequest("get", .get, reference.kind, namespace: reference.namespace, name: reference.name))
    }

    /// Nil where there is no such object.
    ///
    /// - Throws: `unsupported` where the server does not know the kind.
    public func find(_ reference: ObjectReference) async throws -> JSONValue? {
        do {
            return try await get(reference)
        } catch let error as FleetError where error.code == .notFound {
            return nil
        }
    }

    /// Creates an object; the answer is what the server made of it. With `metadata.generateName` the server chooses
    /// the name.
    ///
    /// - Throws: `alreadyExists`; `failed` where the server does not accept the object.
    @discardableResult
    public func create(_ object: JSONValue, kind: ResourceKind, namespace: String? = nil) async throws -> JSONValue {
        var request = try APIRequest("create", .post, kind, namespace: namespace, body: object)
        request.access.name = object.objectName
        request.isIdempotent = false
        return try await perform(request)
    }

    /// Puts a whole object in the place of another.
    ///
    /// - Throws: `notFound`, `failed`; `conflict` where the object has another `resourceVersion` than this one says.
    @discardableResult
    public func replace(
        _ object: JSONValue, at reference: ObjectReference, subresource: String? = nil
    ) async throws -> JSONValue {
        var request = try APIRequest(
            "update", .put, reference.kind, namespace: reference.namespace, name: reference.name,
            subresource: subresource, body: object)
        // The second time, a version that was right is wrong.
        request.isIdempotent = object.resourceVersion == nil
        return try await perform(request)
    }

    /// Changes an object.
    ///
    /// - Throws: `notFound`, `failed`; `conflict` where a `test` of a JSON patch fails, or another manager owns what
    ///   is applied without force.
    @discardableResult
    public func patch(
        _ reference: ObjectReference, _ patch: KubernetesPatch, subresource: String? = nil
    ) async throws -> JSONValue {
        var request = try APIRequest(
            "patch", .patch, reference.kind, namespace: reference.namespace, name: reference.name,
            subresource: subresource, body: patch.body)
        request.contentType = patch.contentType
        request.isIdempotent = patch.isIdempotent
        if case .apply(_, let manager, let force) = patch {
            request.query = [("fieldManager", manager), ("force", force ? "true" : "false")]
        }
        let result = try await send(request)
        guard result.isSuccess else {
            let status = KubernetesStatus(result)
            // A failed test has no field to blame; an object that would become invalid has.
            if patch.hasTests, status.code == 422, status.causes.isEmpty {
                throw FleetError(
                    .conflict, "\(configuration.contextName): cannot \(request.access): it is not as it was expected",
                    cause: status.message, hint: "read it again")
            }
            throw await error(result, request.access)
        }
        return try KubernetesJSON.decode(result.body, from: "\(configuration.contextName): \(request.access)")
    }

    /// Deletes an object. One that is not there is deleted; one with finalizers or a grace period goes later.
    ///
    /// - Throws: `conflict` where the object has another UID or resource version.
    public func delete(
        _ reference: ObjectReference, uid: String? = nil, resourceVersion: String? = nil,
        propagation: DeletionPropagation = .background, gracePeriod: Duration? = nil
    ) async throws {
        var options: [String: JSONValue] = [
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": .string(propagation.rawValue),
        ]
        var preconditions: [String: JSONValue] = [:]
        if let uid { preconditions["uid"] = .string(uid) }
        if let resourceVersion { preconditions["resourceVersion"] = .string(resourceVersion) }
        if !preconditions.isEmpty { options["preconditions"] = .object(preconditions) }
        if let gracePeriod { options["gracePeriodSeconds"] = .integer(Int64(gracePeriod.seconds.rounded(.up))) }
        let request = try APIRequest(
            "delete", .delete, reference.kind, namespace: reference.namespace, name: reference.name,
            body: .object(options))
        do {
            _ = try await perform(request)
        } catch let error as FleetError where error.code == .notFound {
            return
        }
    }
}
