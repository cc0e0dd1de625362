import FleetPluginAPI
import HTTPClient

/// Lists, then watches from there, and again when the connection or the server's memory ends.
///
/// It reads on only when it is asked for the next event: a slow reader slows the server down.
actor Watcher {
    private enum State {
        case listing
        case connecting
        case reading(HTTPBody.AsyncIterator)
    }

    private let client: KubernetesClient
    private let kind: ResourceKind
    private let request: APIRequest
    private let labels: String?
    private let fields: String?
    private var state = State.listing
    private var version = ""
    private var lines = LineBuffer()
    private var waiting: [[UInt8]] = []
    private var backoff = Backoff()
    private var connectedAt = ContinuousClock.now
    /// Why nothing comes at present.
    private(set) var trouble: FleetError?

    /// An object is at most some 1.5 MiB in etcd; the server writes it larger.
    private static let longestLine = 16 << 20

    init(_ client: KubernetesClient, _ kind: ResourceKind, namespace: String?, labels: String?, fields: String?) throws
    {
        self.client = client
        self.kind = kind
        self.labels = labels
        self.fields = fields
        var request = try APIRequest("watch", .get, kind, namespace: namespace)
        request.query = [("watch", "true"), ("allowWatchBookmarks", "true")]
        if let labels { request.query.append(("labelSelector", labels)) }
        if let fields { request.query.append(("fieldSelector", fields)) }
        self.request = request
    }

    /// The next event; never nil, since a watch has no end.
    func next() async throws -> WatchEvent? {
        while true {
            try Task.checkCancellation()
            do {
                if let event = try await step() { return event }
            } catch let error as FleetError where error.isRetriable {
                trouble = error
                if case .reading = state { state = .connecting }
                try await Task.sleep(for: backoff.next())
            }
        }
    }

    private func step() async throws -> WatchEvent? {
        if !waiting.isEmpty { return try await event(waiting.removeFirst()) }
        switch state {
        case .listing:
            let list = try await client.list(
                kind, namespace: request.access.namespace, labels: labels, fields: fields)
            version = list.resourceVersion
            (lines, trouble) = (LineBuffer(), nil)
            state = .connecting
            return .synced(list.items)
        case .connecting:
            try await connect()
            return nil
        case .reading(var body):
            guard let piece = try await body.next() else {
                // Servers end watches after some minutes; from here it goes on.
                state = .connecting
                if connectedAt.duration(to: .now) > .seconds(10) { backoff.reset() }
                try await Task.sleep(for: backoff.next())
                return nil
            }
            var found = lines.lines(adding: piece)
            guard lines.count <= Self.longestLine else {
                throw FleetError(
                    .protocolViolation, "\(client.configuration.contextName): \(request.access): an event without end")
            }
            found.reverse()
            while let line = found.popLast() { if !line.isEmpty { waiting.append(line) } }
            return nil
        }
    }

    private func connect() async throws {
        var request = request
        // Random, so that not all watches end at the same moment.
        let seconds = Int.random(in: 240...360)
        request.query += [("resourceVersion", version), ("timeoutSeconds", String(seconds))]
        request.deadline = .seconds(seconds + 60)
        lines = LineBuffer()
        let response = try await client.open(request)
        guard response.status == 200 else {
            let status = KubernetesStatus(try await response.collect())
            try await fail(status)
            return
        }
        (trouble, connectedAt) = (nil, .now)
        state = .reading(response.body.makeAsyncIterator())
    }

    /// - Throws: what is no reason to list again.
    private func fail(_ status: KubernetesStatus) async throws {
        guard status.isExpired else {
            state = .connecting
            throw await client.error(status, request.access)
        }
        state = .listing
        waiting = []
        // A server that forgets at once must not be asked without end.
        try await Task.sleep(for: backoff.next())
    }

    private func event(_ line: [UInt8]) async throws -> WatchEvent? {
        let answer = try KubernetesJSON.decode(line, from: "\(client.configuration.contextName): \(request.access)")
        guard let type = answer["type"]?.string, let object = answer["object"] else {
            throw FleetError(
                .protocolViolation, "\(client.configuration.contextName): \(request.access): what came is no event")
        }
        if type == "ERROR" {
            waiting = []
            try await fail(KubernetesStatus(code: 500, body: object))
            return nil
        }
        if let version = object.resourceVersion { self.version = version }
        backoff.reset()
        switch type {
        case "ADDED": return .added(object)
        case "MODIFIED": return .modified(object)
        case "DELETED": return .deleted(object)
        // Bookmarks, and kinds of events not yet invented.
        default: return nil
        }
    }
}
