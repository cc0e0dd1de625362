import FleetPluginAPI
import FleetTestSupport
import Synchronization
import Testing

@testable import HTTPClient
@testable import KubernetesClient

/// Version 5 of the protocol (KEP-4006), which the bench's servers do not speak, in the shapes of Kubernetes 1.30.
@Suite struct ExecProtocolTests {
    private func client(_ server: LocalServer) throws -> KubernetesClient {
        try KubernetesClient(
            KubernetesConfiguration(
                contextName: "c", server: server.url, defaultNamespace: "n", credentials: UserCredentials(name: "me")))
    }

    private static func frame(_ payload: [UInt8]) -> [UInt8] { [0x82, UInt8(payload.count)] + payload }

    private static func readFrame(_ connection: LocalConnection) -> [UInt8]? {
        guard let head = connection.read(2), head[1] & 127 < 126, let key = connection.read(4),
            let masked = connection.read(Int(head[1] & 127))
        else { return nil }
        return masked.enumerated().map { $1 ^ key[$0 & 3] }
    }

    @Test func inputAndItsEndAreToldToVersionFive() async throws {
        let received = Mutex<[[UInt8]]>([])
        let offered = Mutex("")
        let server = try LocalServer { connection in
            guard let request = connection.readHead() else { return }
            offered.withLock { $0 = request.header("sec-websocket-protocol") ?? "" }
            let accept = WebSocketHandshake.accept(request.header("sec-websocket-key") ?? "")
            connection.write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(accept)\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n")
            while let payload = Self.readFrame(connection) {
                received.withLock { $0.append(payload) }
                if payload == [255, 0] { break }
            }
            let status =
                #"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#
            connection.write(Self.frame([1] + Array("out".utf8)) + Self.frame([2] + Array("err".utf8)))
            let bytes = [3] + Array(status.utf8)
            connection.write([0x82] + (bytes.count < 126 ? [] : [126, 0]) + [UInt8(bytes.count)] + bytes)
            connection.waitForEnd()
        }
        defer { server.stop() }
        let result = try await client(server).run(
            pod: "p", namespace: "n", command: ["cat"], input: Array("hello".utf8), deadline: .seconds(20))
        #expect(result.status == 7 && result.outputText == "out" && result.errorText == "err")
        #expect(received.withLock { $0 } == [[0] + Array("hello".utf8), [255, 0]])
        #expect(offered.withLock { $0 } == "v5.channel.k8s.io")
    }

    @Test func aConnectionThatEndsEarlyIsNoSuccess() async throws {
        let server = try LocalServer { connection in
            guard let request = connection.readHead() else { return }
            let accept = WebSocketHandshake.accept(request.header("sec-websocket-key") ?? "")
            connection.write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(accept)\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n")
            connection.write(Self.frame([1] + Array("half".utf8)) + [0x88, 0x00])
        }
        defer { server.stop() }
        let error = await failure {
            _ = try await client(server).run(pod: "p", namespace: "n", command: ["x"], deadline: .seconds(20))
        }
        #expect(error?.code == .unavailable && error?.hint == "it may still run")
    }
}
