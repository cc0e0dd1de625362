import FleetPluginAPI

/// What a server says to the wish for a WebSocket.
public enum WebSocketAnswer: Sendable {
    case open(WebSocket)
    /// Any status but 101, and what the server said with it.
    case refused(HTTPResult)
}

extension HTTPSession {
    /// Asks for a WebSocket: a GET with the request's URL and headers, `http` or `https`.
    ///
    /// The request's `deadline` is for everything up to the answer; then there is none, nor a stall timeout.
    /// - Parameters:
    ///   - protocols: what may be spoken, the preferred first.
    ///   - messageLimit: bytes of one message that are accepted.
    /// - Throws: as `send`; `protocolViolation` where the answer is that of no WebSocket server.
    public func webSocket(
        _ request: HTTPRequest, protocols: [String] = [], messageLimit: Int = 16 << 20
    ) async throws -> WebSocketAnswer {
        let tunnel = Tunnel(try transfer(request), loop)
        let handshake = WebSocketHandshake(request, protocols: protocols, agent: options.agent)
        let answer = try await withThrowingTaskGroup(of: Upgrade?.self) { group in
            group.addTask {
                try await tunnel.open()
                try await tunnel.write(handshake.head)
                return try await self.upgrade(tunnel, handshake)
            }
            group.addTask {
                try await Task.sleep(for: request.deadline)
                return nil
            }
            defer { group.cancelAll() }
            do {
                return try await group.next() ?? nil
            } catch {
                tunnel.close()
                throw error
            }
        }
        switch answer {
        case .open(let chosen, let rest):
            return .open(
                WebSocket(tunnel, self, chosenProtocol: chosen, rest: rest, limit: messageLimit))
        case .refused(let result):
            tunnel.close()
            return .refused(result)
        case nil:
            tunnel.close()
            throw FleetError(.timedOut, "\(request): no complete answer in time")
        }
    }

    private enum Upgrade: Sendable {
        case open(chosen: String?, rest: [UInt8])
        case refused(HTTPResult)
    }

    private func upgrade(_ tunnel: Tunnel, _ handshake: WebSocketHandshake) async throws -> Upgrade {
        var bytes: [UInt8] = []
        while true {
            while let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                guard let head = ResponseHead(String(decoding: bytes[..<end.lowerBound], as: UTF8.self)) else {
                    throw handshake.violation("the server does not speak HTTP here")
                }
                bytes.removeFirst(end.upperBound)
                if head.status == 101 { return .open(chosen: try handshake.check(head.headers), rest: bytes) }
                // Interim answers go before the one that counts.
                if (100..<200).contains(head.status) { continue }
                let body = try await Self.body(tunnel, head, bytes)
                return .refused(HTTPResult(status: head.status, headers: head.headers, body: body))
            }
            guard bytes.count <= WebSocketHandshake.headLimit else {
                throw handshake.violation("the head of the answer is larger than \(WebSocketHandshake.headLimit) bytes")
            }
            guard let piece = try await tunnel.read() else {
                throw FleetError(.unavailable, "\(handshake.request): the server hung up without an answer")
            }
            bytes += piece
        }
    }

    /// The beginning of a refusal's body: enough for what a server has to say.
    private static func body(_ tunnel: Tunnel, _ head: ResponseHead, _ begin: [UInt8]) async throws -> [UInt8] {
        var body = begin
        let length = head.headers["content-length"].flatMap { Int($0) }
        let isChunked = head.headers["transfer-encoding"]?.lowercased() == "chunked"
        let wanted = min(length ?? WebSocketHandshake.headLimit, WebSocketHandshake.headLimit)
        while body.count < wanted {
            if isChunked, Array(body.suffix(5)) == Array("0\r\n\r\n".utf8) { break }
            guard let piece = try? await tunnel.read() else { break }
            body += piece
        }
        return isChunked ? ChunkedBody.decode(body) : Array(body.prefix(wanted))
    }
}

/// RFC 9112, 7.1.
enum ChunkedBody {
    /// What the chunks hold, up to where they are cut off or malformed.
    static func decode(_ bytes: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        var rest = bytes[...]
        let lineEnd = Array("\r\n".utf8)
        while let end = rest.firstRange(of: lineEnd) {
            let digits = rest[..<end.lowerBound].prefix { $0 != UInt8(ascii: ";") }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size > 0 else { break }
            rest = rest[end.upperBound...]
            body += rest.prefix(size)
            rest = rest.dropFirst(size).dropFirst(2)
        }
        return body
    }
}
