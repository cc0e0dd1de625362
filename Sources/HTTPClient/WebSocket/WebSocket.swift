import FleetPluginAPI
import Synchronization

/// A WebSocket (RFC 6455), the client's side.
///
/// Pings are answered while somebody receives. While nobody does, little is buffered and the server is made to wait. It
/// ends with the last reference to it.
public final class WebSocket: Sendable {
    /// The protocol that the server chose among those offered.
    public let chosenProtocol: String?
    let tunnel: Tunnel
    private let receiver: WebSocketReceiver
    private let wasClosed = Mutex(false)
    // A session that goes away ends its connections.
    private let session: HTTPSession

    init(_ tunnel: Tunnel, _ session: HTTPSession, chosenProtocol: String?, rest: [UInt8], limit: Int) {
        self.tunnel = tunnel
        self.session = session
        self.chosenProtocol = chosenProtocol
        receiver = WebSocketReceiver(tunnel, rest, limit: limit)
    }

    deinit {
        tunnel.close()
    }

    /// The next message; nil when either side has closed the WebSocket. For one receiver at a time.
    ///
    /// - Throws: `unavailable` where the connection ends without that, `protocolViolation`, `exhausted`,
    ///   `CancellationError`; then the connection is over.
    public func receive() async throws -> WebSocketMessage? {
        do {
            return try await receiver.next()
        } catch let error as FleetError where error.code == .unavailable && wasClosed.withLock({ $0 }) {
            return nil
        }
    }

    /// Sends a message; returns when there is room for the next one.
    ///
    /// - Throws: `unavailable`, `CancellationError`; then the connection is over.
    public func send(_ message: WebSocketMessage) async throws {
        switch message {
        case .text(let text): try await send(WebSocketFrame(opcode: .text, payload: Array(text.utf8)))
        case .binary(let bytes): try await send(WebSocketFrame(opcode: .binary, payload: bytes))
        }
    }

    /// Keeps proxies on the way from taking the connection for dead.
    public func ping() async throws {
        try await send(WebSocketFrame(opcode: .ping, payload: []))
    }

    /// Says goodbye and ends the connection, whatever the server has to say to it.
    public func close(code: UInt16 = 1000) {
        guard
            !wasClosed.withLock({ closed in
                defer { closed = true }
                return closed
            })
        else { return }
        let frame = WebSocketFrame(opcode: .close, payload: [UInt8(code >> 8), UInt8(code & 0xFF)])
        tunnel.finish(frame.bytes(mask: .random(in: .min ... .max)))
    }

    private func send(_ frame: WebSocketFrame) async throws {
        try await tunnel.write(frame.bytes(mask: .random(in: .min ... .max)))
    }
}

/// The receiving half.
private actor WebSocketReceiver {
    private let tunnel: Tunnel
    private var parser: WebSocketParser
    private var assembly: WebSocketAssembly
    private var isClosed = false

    init(_ tunnel: Tunnel, _ rest: [UInt8], limit: Int) {
        self.tunnel = tunnel
        parser = WebSocketParser(limit: limit)
        assembly = WebSocketAssembly(limit: limit)
        parser.add(rest)
    }

    func next() async throws -> WebSocketMessage? {
        if isClosed { return nil }
        do {
            while true {
                if let frame = try parser.next() {
                    switch try assembly.add(frame) {
                    case .message(let message): return message
                    case .ping(let payload): try await pong(payload)
                    case .pong, nil: continue
                    case .close(let code):
                        isClosed = true
                        let payload = code == 1005 ? [] : [UInt8(code >> 8), UInt8(code & 0xFF)]
                        let frame = WebSocketFrame(opcode: .close, payload: payload)
                        tunnel.finish(frame.bytes(mask: .random(in: .min ... .max)))
                        return nil
                    }
                } else if let piece = try await tunnel.read() {
                    parser.add(piece)
                } else {
                    throw FleetError(
                        .unavailable, "\(tunnel.transfer.request): the connection ended without a goodbye")
                }
            }
        } catch {
            tunnel.close()
            throw error
        }
    }

    private func pong(_ payload: [UInt8]) async throws {
        let frame = WebSocketFrame(opcode: .pong, payload: payload)
        try await tunnel.write(frame.bytes(mask: .random(in: .min ... .max)))
    }
}
