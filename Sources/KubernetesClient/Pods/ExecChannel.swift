import FleetPluginAPI
import HTTPClient

/// The first byte of each message of an exec's WebSocket.
///
/// Facts: k8s.io/apimachinery `pkg/util/remotecommand/constants.go`; version 5 is KEP-4006.
enum ExecChannel {
    static let protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"]

    static let input: UInt8 = 0
    static let output: UInt8 = 1
    static let errors: UInt8 = 2
    static let status: UInt8 = 3
    /// Version 5: the channel that follows has come to its end.
    static let close: UInt8 = 255

    /// Input is sent in pieces of this size at most.
    static let pieceSize = 32 << 10
}

extension KubernetesClient {
    /// Feeds a program and hears it out; its exit code.
    func converse(
        _ socket: WebSocket, _ request: APIRequest, _ stdin: ExecInput?,
        _ output: @escaping @Sendable (ExecStream, [UInt8]) async throws -> Void
    ) async throws -> Int32 {
        let tellsEnd = socket.chosenProtocol == ExecChannel.protocols[0]
        return try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask { try await self.listen(socket, request, output) }
            if let stdin {
                group.addTask {
                    try await Self.feed(socket, stdin, tellsEnd: tellsEnd)
                    return nil
                }
            }
            group.addTask {
                // Proxies on the way take a connection on which nothing moves for dead.
                while true {
                    try await Task.sleep(for: .seconds(20))
                    try await socket.ping()
                }
            }
            defer { group.cancelAll() }
            while let code = try await group.next() {
                guard let code else { continue }
                socket.close()
                return code
            }
            throw CancellationError()
        }
    }

    private func listen(
        _ socket: WebSocket, _ request: APIRequest,
        _ output: @Sendable (ExecStream, [UInt8]) async throws -> Void
    ) async throws -> Int32 {
        let what = "\(configuration.contextName): \(request.access)"
        while true {
            let message: WebSocketMessage?
            do {
                message = try await socket.receive()
            } catch let error as FleetError {
                throw error.during(what)
            }
            guard let message else {
                throw FleetError(
                    .unavailable, "\(what): the connection ended before the program did", hint: "it may still run")
            }
            guard case .binary(let bytes) = message, let channel = bytes.first else { continue }
            let payload = Array(bytes.dropFirst())
            switch channel {
            case ExecChannel.output where !payload.isEmpty: try await output(.output, payload)
            case ExecChannel.errors where !payload.isEmpty: try await output(.errors, payload)
            case ExecChannel.status where !payload.isEmpty:
                return try ExecStatus.code(payload, request.access, self)
            default: continue
            }
        }
    }

    private static func feed(_ socket: WebSocket, _ stdin: ExecInput, tellsEnd: Bool) async throws {
        for try await piece in stdin {
            for start in stride(from: 0, to: piece.count, by: ExecChannel.pieceSize) {
                let part = piece[start..<min(start + ExecChannel.pieceSize, piece.count)]
                do {
                    try await socket.send(.binary([ExecChannel.input] + part))
                } catch let error as FleetError where error.code == .unavailable {
                    // The program has ended without reading everything: its exit code says whether that is well.
                    return
                }
            }
        }
        if tellsEnd { try? await socket.send(.binary([ExecChannel.close, ExecChannel.input])) }
    }
}
