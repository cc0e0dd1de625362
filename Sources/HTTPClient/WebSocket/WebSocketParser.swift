import FleetPluginAPI

/// Frames out of bytes that come in pieces, from a server.
struct WebSocketParser {
    private var bytes: [UInt8] = []
    private var offset = 0
    /// Bytes of one frame's payload.
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    mutating func add(_ piece: [UInt8]) {
        if offset > 0, offset == bytes.count || offset > 1 << 16 {
            bytes.removeFirst(offset)
            offset = 0
        }
        bytes += piece
    }

    /// The next frame; nil until there is more.
    ///
    /// - Throws: `protocolViolation` for what RFC 6455 forbids, `exhausted` for a frame larger than the limit.
    mutating func next() throws -> WebSocketFrame? {
        guard bytes.count - offset >= 2 else { return nil }
        let (first, second) = (bytes[offset], bytes[offset + 1])
        guard first & 0x70 == 0 else { throw Self.violation("it uses an extension that was not agreed on") }
        guard let opcode = WebSocketFrame.Opcode(rawValue: first & 0x0F) else {
            throw Self.violation("it has an unknown opcode")
        }
        guard second & 0x80 == 0 else { throw Self.violation("a server's frame is masked") }
        let isFinal = first & 0x80 != 0
        let short = Int(second & 0x7F)
        guard !opcode.isControl || (isFinal && short < 126) else {
            throw Self.violation("a control frame is long or in pieces")
        }
        let extra = short == 126 ? 2 : short == 127 ? 8 : 0
        let head = 2 + extra
        guard bytes.count - offset >= head else { return nil }
        var length = UInt64(short)
        if extra > 0 {
            length = bytes[(offset + 2)..<(offset + head)].reduce(0) { $0 << 8 | UInt64($1) }
            guard length > (extra == 2 ? 125 : 0xFFFF), length >> 63 == 0 else {
                throw Self.violation("a length is not written in the shortest way")
            }
        }
        guard length <= UInt64(limit) else {
            throw FleetError(
                .exhausted, "a WebSocket frame is larger than \(ByteSize.text(Int64(limit)))", retriable: false)
        }
        let end = offset + head + Int(length)
        guard bytes.count >= end else { return nil }
        let payload = Array(bytes[(offset + head)..<end])
        offset = end
        return WebSocketFrame(opcode: opcode, isFinal: isFinal, payload: payload)
    }

    static func violation(_ what: String) -> FleetError {
        FleetError(.protocolViolation, "a WebSocket frame is malformed: \(what)")
    }
}
