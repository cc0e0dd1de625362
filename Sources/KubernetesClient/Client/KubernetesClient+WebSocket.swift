import FleetPluginAPI
import HTTPClient

extension KubernetesClient {
    /// A WebSocket to a pod's subresource that speaks one of `protocols`; nil where the server speaks none of them.
    ///
    /// - Throws: `notFound`, `failed` where the pod or container is not there or does not run.
    func webSocket(_ request: APIRequest, protocols: [String]) async throws -> WebSocket? {
        var connection = try await connector.connection()
        var answer = try await open(request, protocols, connection)
        if case .refused(let result) = answer, result.status == 401, await connector.refused(connection.login) {
            connection = try await connector.connection()
            answer = try await open(request, protocols, connection)
        }
        switch answer {
        case .open(let socket):
            guard let chosen = socket.chosenProtocol, protocols.contains(chosen) else { return nil }
            return socket
        case .refused(let result):
            // How servers before 1.30 say that they know none of the protocols.
            if result.status == 403, KubernetesStatus(result).reason.isEmpty { return nil }
            if result.status == 400, result.body.isEmpty { return nil }
            throw await error(result, try await missing(result.status, request.access))
        }
    }

    private func open(
        _ request: APIRequest, _ protocols: [String], _ connection: Connector.Connection
    ) async throws -> WebSocketAnswer {
        do {
            return try await connection.session.webSocket(try httpRequest(request, connection), protocols: protocols)
        } catch let error as FleetError {
            throw error.during("\(configuration.contextName): cannot \(request.access)")
        }
    }

    /// Of the two verbs that a connection needs, depending on the server's version, the one that is not granted.
    private func missing(_ status: Int, _ access: AccessCheck) async throws -> AccessCheck {
        guard status == 403 else { return access }
        let both = ["get", "create"].map { verb in
            var access = access
            access.verb = verb
            return access
        }
        return try await check(both).first ?? access
    }
}
