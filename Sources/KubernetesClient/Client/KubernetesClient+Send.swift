import FleetPluginAPI
import HTTPClient

extension KubernetesClient {
    /// Sends a request and decodes the answer.
    func perform(_ request: APIRequest) async throws -> JSONValue {
        let result = try await send(request)
        guard result.isSuccess else { throw await error(result, request.access) }
        return try KubernetesJSON.decode(result.body, from: "\(configuration.contextName): \(request.access)")
    }

    /// Sends a request, again where that is safe and may help, once more with new credentials after a 401.
    func send(_ request: APIRequest) async throws -> HTTPResult {
        var connection = try await connector.connection()
        var result = try await attempt(request, connection)
        if result.status == 401, await connector.refused(connection.login) {
            connection = try await connector.connection()
            result = try await attempt(request, connection)
        }
        return result
    }

    private func attempt(_ request: APIRequest, _ connection: Connector.Connection) async throws -> HTTPResult {
        do {
            return try await connection.session.fetch(
                try httpRequest(request, connection), retrying: options.retry, limit: limit)
        } catch let error as FleetError {
            throw error.during("\(configuration.contextName): cannot \(request.access)")
        }
    }

    func httpRequest(_ request: APIRequest, _ connection: Connector.Connection) throws -> HTTPRequest {
        var headers = connection.headers
        headers["Accept"] = request.accept
        var body = HTTPRequest.Body.none
        if let value = request.body {
            headers["Content-Type"] = request.contentType
            body = .bytes(try KubernetesJSON.encode(value))
        }
        return HTTPRequest(
            request.method, configuration.base + request.target, headers: headers,
            secretHeaders: connection.secretHeaders, body: body, deadline: request.deadline ?? options.deadline,
            responseLimit: options.responseLimit, isIdempotent: request.isIdempotent, refusals: [429, 503])
    }

    func error(_ result: HTTPResult, _ access: AccessCheck) async -> FleetError {
        await error(KubernetesStatus(result), access)
    }

    /// What a refusal means. Where permissions could be missing, the server is asked whether they are: admission rules
    /// and quotas answer with the same status.
    func error(_ status: KubernetesStatus, _ access: AccessCheck) async -> FleetError {
        let mayAsk = status.code == 403 && access.resource != AccessCheck.review.resource
        let isAllowed = mayAsk ? try? await isAllowed(access) : nil
        return status.error(access, self, isAllowed: isAllowed ?? false)
    }
}
