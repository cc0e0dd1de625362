import FleetPluginAPI
import FleetTestSupport
import Synchronization
import Testing

@testable import HTTPClient

/// A server's end of a WebSocket, made by hand.
private func answer(_ connection: LocalConnection, protocolName: String? = nil) -> Bool {
    guard let request = connection.readHead(), let key = request.header("sec-websocket-key") else { return false }
    connection.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(WebSocketHandshake.accept(key))\r\n"
            + (protocolName.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? "") + "\r\n")
    return true
}

private func frame(_ opcode: WebSocketFrame.Opcode, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
    WebSocketFrameTests.serverBytes(WebSocketFrame(opcode: opcode, isFinal: isFinal, payload: payload))
}

/// A client's frame, unmasked.
private func readFrame(_ connection: LocalConnection) -> WebSocketFrame? {
    guard let head = connection.read(2), let opcode = WebSocketFrame.Opcode(rawValue: head[0] & 15) else { return nil }
    var length = Int(head[1] & 127)
    if length == 126, let bytes = connection.read(2) { length = bytes.reduce(0) { $0 << 8 | Int($1) } }
    if length == 127, let bytes = connection.read(8) { length = bytes.reduce(0) { $0 << 8 | Int($1) } }
    guard head[1] & 128 != 0, let key = connection.read(4), let masked = connection.read(length) else { return nil }
    return WebSocketFrame(
        opcode: opcode, isFinal: head[0] & 128 != 0, payload: masked.enumerated().map { $1 ^ key[$0 & 3] })
}

private func open(_ server: LocalServer, _ protocols: [String] = []) async throws -> WebSocket {
    switch try await session().webSocket(HTTPRequest(.get, "\(server.url)/x?y=1"), protocols: protocols) {
    case .open(let socket): return socket
    case .refused(let result): throw FixtureError("refused: \(result.status) \(result.text)")
    }
}

@Suite struct WebSocketTests {
    @Test func messagesGoBothWays() async throws {
        let server = try LocalServer { connection in
            guard answer(connection, protocolName: "v4") else { return }
            connection.write(frame(.ping, [7]) + frame(.binary, [1, 2], isFinal: false))
            connection.write(frame(.ping, []) + frame(.continuation, [3]))
            while let got = readFrame(connection), got.opcode != .close {
                if got.opcode == .pong { continue }
                connection.write(frame(got.opcode, got.payload))
            }
            connection.write(frame(.close, [0x03, 0xE8]))
        }
        defer { server.stop() }
        let socket = try await open(server, ["v5", "v4"])
        #expect(socket.chosenProtocol == "v4")
        #expect(try await socket.receive() == .binary([1, 2, 3]))
        let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await socket.send(.binary(large))
        #expect(try await socket.receive() == .binary(large))
        try await socket.send(.text("grüß"))
        #expect(try await socket.receive() == .text("grüß"))
        socket.close()
        #expect(try await socket.receive() == nil)
    }

    /// Much each way at the same time, far more than is buffered anywhere.
    @Test func bothWaysAreUsedAtTheSameTime() async throws {
        let server = try LocalServer { connection in
            guard answer(connection) else { return }
            while let got = readFrame(connection), got.opcode == .binary {
                connection.write(frame(.binary, got.payload))
            }
        }
        defer { server.stop() }
        let socket = try await open(server)
        let piece = (0..<65_000).map { UInt8(truncatingIfNeeded: $0) }
        let sending = Task { for _ in 0..<20 { try await socket.send(.binary(piece)) } }
        var count = 0
        while count < 20, let message = try await socket.receive() {
            guard case .binary(let bytes) = message else { break }
            count += bytes == piece ? 1 : 1000
        }
        try await sending.value
        #expect(count == 20)
    }

    @Test func refusalsAreTold() async throws {
        let server = try LocalServer { connection in
            _ = connection.readHead()
            connection.write(
                "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n4\r\n you\r\n0\r\n\r\n")
            connection.waitForEnd()
        }
        defer { server.stop() }
        guard case .refused(let result) = try await session().webSocket(HTTPRequest(.get, server.url)) else {
            throw FixtureError("not refused")
        }
        #expect(result.status == 403 && result.text == "not you")
    }

    @Test(arguments: [
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        "HTTP/1.1 101 X\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "\r\n\r\n",
    ])
    func otherServersAreNoticed(_ text: String) async throws {
        let server = try LocalServer { connection in
            _ = connection.readHead()
            connection.write(text)
            connection.waitForEnd()
        }
        defer { server.stop() }
        let error = await #expect(throws: FleetError.self) {
            try await session().webSocket(HTTPRequest(.get, server.url))
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test func nobodyWaitsForever() async throws {
        let server = try LocalServer { connection in
            guard let request = connection.readHead() else { return }
            if request.line.contains("silent") { return connection.waitForEnd() }
            connection.close()
        }
        defer { server.stop() }
        let late = await #expect(throws: FleetError.self) {
            try await session().webSocket(
                HTTPRequest(.get, "\(server.url)/silent", deadline: .milliseconds(200)))
        }
        #expect(late?.code == .timedOut)
        let gone = await #expect(throws: FleetError.self) {
            try await session().webSocket(HTTPRequest(.get, "\(server.url)/close"))
        }
        #expect(gone?.code == .unavailable)
        let refused = await #expect(throws: FleetError.self) {
            try await session().webSocket(HTTPRequest(.get, "http://127.0.0.1:\(FreePort.next())"))
        }
        #expect(refused?.code == .unavailable)
    }

    /// Cancellation and a lost reference end the connection, which the server sees.
    @Test func connectionsEndWithTheirTask() async throws {
        let ended = Counter()
        let server = try LocalServer { connection in
            guard answer(connection) else { return }
            connection.waitForEnd()
            ended.add(1)
        }
        defer { server.stop() }
        let socket = try await open(server)
        let task = Task { try await socket.receive() }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        _ = try await open(server)
        try await eventually { ended.value == 2 }
    }

    @Test func aConnectionThatEndsWithoutGoodbyeIsAFault() async throws {
        let server = try LocalServer { connection in
            guard answer(connection) else { return }
            connection.write(frame(.binary, [1]))
        }
        defer { server.stop() }
        let socket = try await open(server)
        #expect(try await socket.receive() == .binary([1]))
        let error = await #expect(throws: FleetError.self) { try await socket.receive() }
        #expect(error?.code == .unavailable)
    }

    @Test func aSlowReaderSlowsTheServerDown() async throws {
        let sent = Counter()
        let server = try LocalServer { connection in
            guard answer(connection) else { return }
            let piece = frame(.binary, [UInt8](repeating: 1, count: 65_536))
            for _ in 0..<400 where connection.write(piece) { sent.add(1) }
            connection.write(frame(.close, []))
        }
        defer { server.stop() }
        let socket = try await open(server)
        _ = try await socket.receive()
        try await Task.sleep(for: .milliseconds(500))
        // What sockets hold, and little more; not the 26 MB.
        #expect(sent.value < 200)
        var count = 1
        while try await socket.receive() != nil { count += 1 }
        #expect(count == 400)
    }
}

@Suite struct RequestLimitTests {
    final class Running: Sendable {
        private let state = Mutex((now: 0, most: 0, done: 0))
        var most: Int { state.withLock { $0.most } }
        var done: Int { state.withLock { $0.done } }

        func begin() {
            state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
        }

        func end() {
            state.withLock { state in
                state.now -= 1
                state.done += 1
            }
        }
    }

    @Test func noMoreThanSoManyRunAndAllGetTheirTurn() async throws {
        let limit = RequestLimit(3)
        let running = Running()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    try await limit.withTurn {
                        running.begin()
                        await Task.yield()
                        running.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.most <= 3 && running.done == 500)
    }

    @Test func whoIsCancelledTakesNoTurn() async throws {
        let limit = RequestLimit(1)
        try await limit.withTurn {
            let waiting = (0..<20).map { _ in Task { try await limit.withTurn {} } }
            try await Task.sleep(for: .milliseconds(20))
            for task in waiting { task.cancel() }
            for task in waiting { await #expect(throws: CancellationError.self) { try await task.value } }
        }
        try await limit.withTurn {}
    }
}
