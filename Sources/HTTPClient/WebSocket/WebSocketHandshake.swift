import FleetPluginAPI
import FoundationEssentials

/// The head of the request that makes a connection a WebSocket, and what the answer must say (RFC 6455, section 4).
struct WebSocketHandshake {
    let request: HTTPRequest
    let protocols: [String]
    let agent: String
    let key: String

    static let headLimit = 64 << 10

    init(_ request: HTTPRequest, protocols: [String], agent: String) {
        self.request = request
        self.protocols = protocols
        self.agent = agent
        key = Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    }

    /// The head; secret headers are in it.
    var head: [UInt8] {
        let (host, target) = Self.parts(request.url)
        var text = "GET \(target) HTTP/1.1\r\n"
        func add(_ name: String, _ value: String) { text += "\(name): \(value)\r\n" }
        if request.headers["host"] == nil { add("Host", host) }
        if request.headers["user-agent"] == nil { add("User-Agent", agent) }
        for field in request.headers.fieldList { add(field.name, field.value) }
        for (name, secret) in request.secretHeaders { secret.reveal { add(name, $0) } }
        add("Connection", "Upgrade")
        add("Upgrade", "websocket")
        add("Sec-WebSocket-Version", "13")
        add("Sec-WebSocket-Key", key)
        if !protocols.isEmpty { add("Sec-WebSocket-Protocol", protocols.joined(separator: ", ")) }
        return Array((text + "\r\n").utf8)
    }

    /// Host with port, and path with query.
    static func parts(_ url: String) -> (host: String, target: String) {
        let bytes = url.utf8
        let start = bytes.firstRange(of: Array("://".utf8))?.upperBound ?? bytes.startIndex
        let rest = bytes[start...]
        let host = rest.prefix { !"/?#".utf8.contains($0) }
        let target = rest[host.endIndex...].prefix { $0 != UInt8(ascii: "#") }
        let text = String(decoding: target, as: UTF8.self)
        return (String(decoding: host, as: UTF8.self), text.hasPrefix("/") ? text : "/" + text)
    }

    /// The protocol that the server chose among those offered; nil for none.
    ///
    /// - Throws: `protocolViolation` where the answer is not that of a WebSocket server to this request.
    func check(_ headers: HTTPHeaders) throws -> String? {
        func has(_ name: String, _ word: String) -> Bool {
            headers.values(name).contains { value in
                value.split(separator: ",").contains { part in
                    part.lowercased().filter { $0 != " " && $0 != "\t" } == word
                }
            }
        }
        guard has("upgrade", "websocket"), has("connection", "upgrade"),
            headers["sec-websocket-accept"] == Self.accept(key)
        else { throw violation("the answer is not a WebSocket's") }
        guard headers["sec-websocket-extensions"] == nil else { throw violation("the server wants an extension") }
        let chosen = headers["sec-websocket-protocol"]
        guard let chosen else { return nil }
        guard protocols.contains(chosen) else { throw violation("the server chose a protocol that was not offered") }
        return chosen
    }

    static func accept(_ key: String) -> String {
        let text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        return Data(SHA1.hash(Array(text.utf8))).base64EncodedString()
    }

    func violation(_ what: String) -> FleetError {
        FleetError(.protocolViolation, "\(request): \(what)")
    }
}

/// The head of an answer out of bytes that come in pieces.
struct ResponseHead: Hashable {
    var status: Int
    var headers: HTTPHeaders

    /// - Parameter text: all lines up to the empty one. Nil for what is no HTTP/1.
    init?(_ text: String) {
        var lines = text.split(omittingEmptySubsequences: true) { $0.isNewline }
        guard !lines.isEmpty else { return nil }
        let words = lines.removeFirst().split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1])
        else { return nil }
        self.status = status
        headers = HTTPHeaders()
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            var value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            headers.add(String(line[..<colon]), String(value))
        }
    }
}
