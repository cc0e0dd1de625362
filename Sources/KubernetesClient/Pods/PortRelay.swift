import FleetPluginAPI
import HTTPClient
import Synchronization

/// One local connection and its WebSocket to a pod's port.
///
/// Messages begin with a byte: 0 data, 1 what went wrong; the first of each kind is the port alone (two bytes). Facts:
/// k8s.io/kubelet `pkg/cri/streaming/portforward/websocket.go`.
struct PortRelay: Sendable {
    private let client: KubernetesClient
    private let connection: LocalSocket
    private let namespace: String
    private let port: Int
    /// When the pod's side was last heard.
    private let heard = Heard()

    private final class Heard: Sendable {
        let at = Mutex(ContinuousClock.now)
    }

    /// How long the pod's side may go on after the local side has said all: the protocol has no half-closed state.
    private static let patience: Duration = .seconds(5)

    init(_ client: KubernetesClient, _ connection: LocalSocket, namespace: String, port: Int) {
        self.client = client
        self.connection = connection
        self.namespace = namespace
        self.port = port
    }

    /// Returns when either side has ended.
    func run(_ pod: String) async throws {
        defer { connection.stop() }
        var request = try APIRequest(
            "create", .get, .pods, namespace: namespace, name: pod, subresource: "portforward")
        request.accept = "*/*"
        request.query = [("ports", String(port))]
        guard let socket = try await client.webSocket(request, protocols: ["v4.channel.k8s.io"]) else {
            throw FleetError(
                .unsupported, "\(client.configuration.contextName): cannot \(request.access) over a WebSocket")
        }
        let access = request.access
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await up(socket) }
            group.addTask { try await down(socket, access) }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(20))
                    try await socket.ping()
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
        socket.close()
    }

    private func up(_ socket: WebSocket) async throws {
        while let bytes = try await connection.read() {
            try await socket.send(.binary([0] + bytes))
        }
        let ended = ContinuousClock.now
        while max(ended, heard.at.withLock { $0 }).duration(to: .now) < Self.patience {
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func down(_ socket: WebSocket, _ access: AccessCheck) async throws {
        var begun: Set<UInt8> = []
        while let message = try await socket.receive() {
            guard case .binary(let bytes) = message, let channel = bytes.first else { continue }
            heard.at.withLock { $0 = .now }
            if begun.insert(channel).inserted { continue }
            let payload = Array(bytes.dropFirst())
            guard !payload.isEmpty else { continue }
            guard channel == 0 else {
                throw FleetError(
                    .unavailable, "\(client.configuration.contextName): cannot \(access): port \(port) does not answer",
                    cause: String(decoding: payload, as: UTF8.self))
            }
            guard try await connection.write(payload) else { return }
        }
    }
}
