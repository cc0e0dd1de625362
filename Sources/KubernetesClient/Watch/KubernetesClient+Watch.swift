public import FleetPluginAPI
import HTTPClient

extension KubernetesClient {
    /// Follows the objects of a kind until the reader stops.
    ///
    /// It begins with `.synced`; after a time in which events may have been missed (the server answered 410) another
    /// one says what is there now. Broken connections are made again, with growing pauses, for as long as it takes.
    /// Nothing is read ahead of the reader. In a task that is cancelled the stream ends, with `CancellationError`
    /// or without.
    /// - Parameters: as for `list`.
    /// - Throws: `denied`, `unsupported` and the like; never `unavailable`.
    public func watch(
        _ kind: ResourceKind, namespace: String? = nil, labels: String? = nil, fields: String? = nil
    ) -> AsyncThrowingStream<WatchEvent, any Error> {
        do {
            let watcher = try Watcher(self, kind, namespace: namespace, labels: labels, fields: fields)
            return AsyncThrowingStream { try await watcher.next() }
        } catch {
            return AsyncThrowingStream { throw error }
        }
    }

    /// Waits until an object is as it should be; nil stands for its absence. Returns what satisfied `condition`.
    ///
    /// Needs the permissions to list and watch.
    /// - Throws: `timedOut`, with what was in the way if something was; and what `condition` throws.
    @discardableResult
    public func wait(
        _ reference: ObjectReference, deadline: Duration,
        until condition: @escaping @Sendable (JSONValue?) throws -> Bool
    ) async throws -> JSONValue? {
        let watcher = try Watcher(
            self, reference.kind, namespace: reference.namespace, labels: nil, fields: "metadata.name=\(reference.name)"
        )
        let found: Found? = try await withDeadline(deadline) {
            while let event = try await watcher.next() {
                let object: JSONValue? =
                    switch event {
                    case .synced(let objects): objects.first
                    case .added(let object), .modified(let object): object
                    case .deleted: nil
                    }
                if try condition(object) { return Found(object: object) }
            }
            return Found(object: nil)
        }
        if let found { return found.object }
        throw FleetError(
            .timedOut,
            "\(configuration.contextName): \(reference) did not become as expected within \(DurationText.text(deadline))",
            cause: await watcher.trouble?.description)
    }

    /// Begins a request whose answer is read as it comes. It takes no turn and is not repeated but after a 401.
    func open(_ request: APIRequest) async throws -> HTTPResponse {
        var connection = try await connector.connection()
        var response = try await start(request, connection)
        if response.status == 401, await connector.refused(connection.login) {
            connection = try await connector.connection()
            response = try await start(request, connection)
        }
        return response
    }

    private func start(_ request: APIRequest, _ connection: Connector.Connection) async throws -> HTTPResponse {
        var sent = try httpRequest(request, connection)
        // A watch may have nothing to say for long; that the other side is gone, keep-alive probes find out.
        sent.stallTimeout = .zero
        sent.responseLimit = .max
        do {
            return try await connection.session.send(sent)
        } catch let error as FleetError {
            throw error.during("\(configuration.contextName): cannot \(request.access)")
        }
    }
}

/// What a condition was satisfied by.
private struct Found {
    var object: JSONValue?
}

/// Runs `body` for at most so long; nil when the time is up.
func withDeadline<Result: Sendable>(
    _ deadline: Duration, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result? {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: deadline)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
