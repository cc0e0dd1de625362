import FleetPluginAPI

/// What one side of a WebSocket tells the other.
public enum WebSocketMessage: Hashable, Sendable {
    case text(String)
    case binary([UInt8])
}

/// Messages out of frames: pieces are put together.
struct WebSocketAssembly {
    enum Event: Hashable {
        case message(WebSocketMessage)
        case ping([UInt8])
        case pong
        /// With its code, 1005 for none.
        case close(UInt16)
    }

    private var opcode: WebSocketFrame.Opcode?
    private var payload: [UInt8] = []
    /// Bytes of one message.
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// What the frame completes; nil when there is more to come.
    mutating func add(_ frame: WebSocketFrame) throws -> Event? {
        switch frame.opcode {
        case .ping: return .ping(frame.payload)
        case .pong: return .pong
        case .close:
            guard frame.payload.count != 1 else { throw WebSocketParser.violation("half a code of closing") }
            guard frame.payload.count > 1 else { return .close(1005) }
            return .close(UInt16(frame.payload[0]) << 8 | UInt16(frame.payload[1]))
        case .text, .binary:
            guard opcode == nil else { throw WebSocketParser.violation("a message begins within another") }
            opcode = frame.opcode
            payload = frame.payload
        case .continuation:
            guard opcode != nil else { throw WebSocketParser.violation("it continues no message") }
            guard payload.count + frame.payload.count <= limit else {
                throw FleetError(
                    .exhausted, "a WebSocket message is larger than \(ByteSize.text(Int64(limit)))", retriable: false)
            }
            payload += frame.payload
        }
        guard frame.isFinal else { return nil }
        defer { (opcode, payload) = (nil, []) }
        guard opcode == .text else { return .message(.binary(payload)) }
        guard let text = String(validating: payload, as: UTF8.self) else {
            throw WebSocketParser.violation("a text is not UTF-8")
        }
        return .message(.text(text))
    }
}
