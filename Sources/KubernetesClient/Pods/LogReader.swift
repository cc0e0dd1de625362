import FleetPluginAPI
import HTTPClient

/// Reads a container's log over as many connections as it takes.
actor LogReader {
    private let client: KubernetesClient
    private let pod: ObjectReference
    private let options: LogOptions
    private let container: String?
    private var body: HTTPBody.AsyncIterator?
    private var lines = LineBuffer()
    /// Lines that have come, the next one last.
    private var waiting: [Arrival] = []
    /// Lines that come after those, the next one first.
    private var arrived: [Arrival] = []
    private var cursor = LogCursor()
    private var backoff = Backoff(longest: .seconds(10))
    /// The container when the reading began, for seeing that another one has taken its place.
    private var first: ContainerState?
    /// Nothing more will be written: this connection reads to the end.
    private var isLast: Bool
    /// That connection has been made.
    private var isRead = false
    private var readsPrevious: Bool
    /// The last stamp, for the rest of a line that comes in pieces.
    private var stamp: Int64 = 0
    private var isInsideLine = false
    /// Whether the line that was begun last had not been read before.
    private var isNewLine = true

    private enum Arrival {
        case stamped(StampedLine)
        /// More of the same line.
        case rest(LogLine)
        /// What the node itself has to say.
        case plain(LogLine)
    }

    /// Longer lines come in pieces.
    private static let longestLine = 1 << 20

    init(_ client: KubernetesClient, _ pod: ObjectReference, container: String?, options: LogOptions) {
        self.client = client
        self.pod = pod
        self.container = container
        self.options = options
        isLast = !options.follow
        readsPrevious = options.previous
    }

    /// The next line; nil at the end.
    func next() async throws -> LogLine? {
        while true {
            try Task.checkCancellation()
            if waiting.isEmpty {
                waiting = arrived.reversed()
                arrived = []
            }
            switch waiting.popLast() {
            case .stamped(let line):
                isNewLine = cursor.isNew(line)
                guard isNewLine else { continue }
                backoff.reset()
                return line.line
            case .rest(let line):
                guard isNewLine else { continue }
                return line
            case .plain(let line): return line
            case nil: break
            }
            do {
                if try await step() { return nil }
            } catch let error as FleetError where error.isRetriable {
                (body, isRead) = (nil, false)
                try await Task.sleep(for: backoff.next())
            }
        }
    }

    /// Goes on by one piece; whether the log has come to its end.
    private func step() async throws -> Bool {
        guard var reading = body else { return try await connect() }
        if let piece = try await reading.next() {
            for line in lines.lines(adding: piece) { add(line, isWhole: true) }
            while lines.count > Self.longestLine { add(lines.take(Self.longestLine), isWhole: false) }
            return false
        }
        body = nil
        if lines.count > 0 { add(lines.rest(), isWhole: true) }
        // A log that is read once is not repeated before its last lines are handed out.
        return isLast ? arrived.isEmpty : try await endsFollowing()
    }

    /// Long lines are cut at the same places each time they are read, or they would not be known again.
    private func add(_ bytes: [UInt8], isWhole: Bool) {
        for start in stride(from: 0, to: max(1, bytes.count), by: Self.longestLine) {
            let part = Array(bytes[start..<min(start + Self.longestLine, bytes.count)])
            if !isInsideLine, let line = StampedLine(part) {
                stamp = line.nanoseconds
                arrived.append(.stamped(line))
            } else if isInsideLine || !part.isEmpty {
                let line = LogLine(
                    time: Timestamp(microseconds: stamp / 1000), text: String(decoding: part, as: UTF8.self))
                arrived.append(isInsideLine ? .rest(line) : .plain(line))
            }
            isInsideLine = true
        }
        isInsideLine = !isWhole
    }

    private func connect() async throws -> Bool {
        if isLast, isRead { return true }
        if first == nil, options.follow { first = try await state() }
        var request = try APIRequest(
            "get", .get, .pods, namespace: pod.namespace, name: pod.name, subresource: "log")
        request.accept = "*/*"
        request.query = [("timestamps", "true")]
        if !isLast { request.query.append(("follow", "true")) }
        if readsPrevious { request.query.append(("previous", "true")) }
        if let container { request.query.append(("container", container)) }
        if let start = cursor.start ?? options.since {
            request.query.append(("sinceTime", start.description))
        } else if let tail = options.tailLines {
            request.query.append(("tailLines", String(tail)))
        }
        // No limit to speak of; whoever follows a log says when it is enough.
        request.deadline = .seconds(20 * 86_400)
        cursor.rewind()
        (lines, isInsideLine) = (LineBuffer(), false)
        let response = try await client.open(request)
        guard response.status == 200 else {
            let status = KubernetesStatus(try await response.collect())
            try await refuse(status, request)
            return false
        }
        isRead = isLast
        body = response.body.makeAsyncIterator()
        return false
    }

    /// - Throws: what is no reason to ask again.
    private func refuse(_ status: KubernetesStatus, _ request: APIRequest) async throws {
        // A container that has not started has no log yet.
        if status.code == 400, options.follow, !isLast, try await state()?.isWaiting == true {
            try await Task.sleep(for: min(backoff.next(), .seconds(2)))
            return
        }
        throw await client.error(status, request.access)
    }

    /// After a connection that followed the log has ended: whether that was because the container has.
    private func endsFollowing() async throws -> Bool {
        guard let now = try await state() else {
            // The pod has gone, and its log with it.
            return arrived.isEmpty
        }
        if now.isEnded {
            isLast = true
        } else if let first, now.restarts > first.restarts {
            isLast = true
            readsPrevious = true
        } else {
            try await Task.sleep(for: backoff.next())
        }
        return false
    }

    private func state() async throws -> ContainerState? {
        guard let object = try await client.find(pod) else { return nil }
        return ContainerState(pod: object, container: container)
    }
}
