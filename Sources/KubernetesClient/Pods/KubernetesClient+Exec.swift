import FleetPluginAPI
import HTTPClient
import Synchronization

extension KubernetesClient {
    /// Runs a program in a container that runs, and hands on what it writes while it does; returns its exit code.
    ///
    /// A slow receiver slows the program down. Cancellation and the deadline end the connection; whether the program
    /// ends with it is the node's affair. Needs the verbs `get` and `create` on `pods/exec`.
    /// - Parameters:
    ///   - command: argv; no shell.
    ///   - stdin: its end reaches the program where the server speaks version 5 of the protocol (Kubernetes 1.30); to
    ///     older ones the end cannot be told, so give them a program that knows how much it has to read.
    /// - Throws: `notFound`, `failed` (not running, no such program), `timedOut`, `unavailable` where the connection
    ///   ended before the program did, and what `output` and `stdin` throw.
    public func exec(
        pod: String, namespace: String, container: String? = nil, command: [String], stdin: ExecInput? = nil,
        deadline: Duration, output: @escaping @Sendable (ExecStream, [UInt8]) async throws -> Void
    ) async throws -> Int32 {
        let request = try execRequest(pod, namespace, container, command, hasInput: stdin != nil)
        let code = try await withDeadline(deadline) {
            let socket = try await self.webSocket(request, protocols: ExecChannel.protocols)
            guard let socket else { throw self.noProtocol(request) }
            return try await self.converse(socket, request, stdin, output)
        }
        guard let code else { throw late(request, deadline) }
        return code
    }

    /// Runs a program in a container to its end.
    ///
    /// - Parameters: as for `exec`. The end of `input` reaches the program whatever the server speaks; where that is not
    ///   version 5, `sh` and `head` of the container are used for it.
    public func run(
        pod: String, namespace: String, container: String? = nil, command: [String], input: [UInt8] = [],
        deadline: Duration, outputLimit: Int = 16 << 20
    ) async throws -> ExecResult {
        let result = Mutex(ExecResult(status: 0, output: [], errors: [], isOutputCut: false))
        let receive: @Sendable (ExecStream, [UInt8]) async throws -> Void = { stream, bytes in
            result.withLock { $0.add(stream, bytes, outputLimit) }
        }
        let code: Int32?
        if input.isEmpty {
            code = try await exec(
                pod: pod, namespace: namespace, container: container, command: command, deadline: deadline,
                output: receive)
        } else {
            code = try await withDeadline(deadline) {
                try await self.runWithInput(pod, namespace, container, command, input, receive)
            }
        }
        guard let code else {
            throw late(try execRequest(pod, namespace, container, command, hasInput: true), deadline)
        }
        return result.withLock { result in
            result.status = code
            return result
        }
    }

    private func runWithInput(
        _ pod: String, _ namespace: String, _ container: String?, _ command: [String], _ input: [UInt8],
        _ output: @escaping @Sendable (ExecStream, [UInt8]) async throws -> Void
    ) async throws -> Int32 {
        let bytes = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(input)
            continuation.finish()
        }
        let request = try execRequest(pod, namespace, container, command, hasInput: true)
        if let socket = try await webSocket(request, protocols: [ExecChannel.protocols[0]]) {
            return try await converse(socket, request, bytes, output)
        }
        let counted = ["sh", "-c", Self.countedInput, "sh", String(input.count)] + command
        let older = try execRequest(pod, namespace, container, counted, hasInput: true)
        guard let socket = try await webSocket(older, protocols: ExecChannel.protocols) else { throw noProtocol(older) }
        return try await converse(socket, older, bytes, output)
    }

    /// Hands a program the first `$1` bytes, then their end. What it leaves unread is read here: kubelet 1.20 with
    /// containerd 1.6 now and then never reports the end of a program whose input still waits (seen, with kubectl too).
    private static let countedInput =
        "n=$1; shift; head -c \"$n\" | { \"$@\"; status=$?; cat >/dev/null; exit $status; }"

    private func execRequest(
        _ pod: String, _ namespace: String, _ container: String?, _ command: [String], hasInput: Bool
    ) throws -> APIRequest {
        var request = try APIRequest(
            "create", .get, .pods, namespace: namespace, name: pod, subresource: "exec")
        guard !command.isEmpty else { throw FleetError(.usage, "cannot \(request.access): no program is given") }
        request.query = command.map { ("command", $0) }
        request.accept = "*/*"
        if let container { request.query.append(("container", container)) }
        request.query += [("stdin", hasInput ? "true" : "false"), ("stdout", "true"), ("stderr", "true")]
        return request
    }

    private func noProtocol(_ request: APIRequest) -> FleetError {
        FleetError(
            .unsupported, "\(configuration.contextName): cannot \(request.access): the API server has no WebSockets",
            hint: "check that no proxy on the way takes the upgrade away")
    }

    private func late(_ request: APIRequest, _ deadline: Duration) -> FleetError {
        FleetError(
            .timedOut,
            "\(configuration.contextName): \(request.access): the program did not end within "
                + DurationText.text(deadline), hint: "it may still run")
    }
}

extension ExecResult {
    private static let errorLimit = 64 << 10

    mutating func add(_ stream: ExecStream, _ bytes: [UInt8], _ limit: Int) {
        switch stream {
        case .output:
            let room = max(0, limit - output.count)
            output += bytes.prefix(room)
            if bytes.count > room { isOutputCut = true }
        case .errors:
            errors += bytes
            if errors.count > Self.errorLimit { errors.removeFirst(errors.count - Self.errorLimit) }
        }
    }
}
