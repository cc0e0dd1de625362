import Glibc
import Synchronization

/// An HTTP server of a test's own on a free loopback port or a Unix socket, made of plain sockets so that it can
/// misbehave. Each connection has a thread that runs `serve` until it returns.
public final class LocalServer: Sendable {
    public let port: UInt16
    private let listener: Int32
    private let path: String?
    private let counters = Mutex((connections: 0, requests: 0))

    public var url: String { "http://127.0.0.1:\(port)" }
    public var connections: Int { counters.withLock { $0.connections } }
    public var requests: Int { counters.withLock { $0.requests } }

    /// Answers every request on a connection with what `answer` makes of it, until it makes nothing.
    public static func answering(
        unixSocket: String? = nil, _ answer: @escaping @Sendable (LocalRequest, Int) -> String?
    ) throws -> LocalServer {
        try LocalServer(unixSocket: unixSocket) { connection in
            while let request = connection.readRequest() {
                guard let text = answer(request, connection.server.requests) else { return }
                connection.write(text)
            }
        }
    }

    public init(unixSocket: String? = nil, _ serve: @escaping @Sendable (LocalConnection) -> Void) throws {
        signal(SIGPIPE, SIG_IGN)
        path = unixSocket
        let listener = socket(unixSocket == nil ? AF_INET : AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var port: UInt16 = 0
        if let unixSocket {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(unixSocket.utf8)) }
            Self.bindTo(&address, listener)
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            Self.bindTo(&address, listener)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
            }
            port = UInt16(bigEndian: address.sin_port)
        }
        self.listener = listener
        self.port = port
        guard listen(listener, 64) == 0 else { throw ServerError() }
        detachThread { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                counters.withLock { $0.connections += 1 }
                detachThread {
                    let connection = LocalConnection(descriptor, self)
                    serve(connection)
                    connection.close()
                }
            }
        }
    }

    private static func bindTo<Address>(_ address: inout Address, _ listener: Int32) {
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        if let path { unlink(path) }
    }

    fileprivate func count() {
        counters.withLock { $0.requests += 1 }
    }

    struct ServerError: Error {}
}

/// A request as it arrived at a local server.
public struct LocalRequest: Sendable {
    public var line: String
    public var headers: [String]
    public var body: [UInt8]

    public func header(_ name: String) -> String? {
        let prefix = name.lowercased() + ":"
        return headers.first { $0.lowercased().hasPrefix(prefix) }
            .map { String($0.dropFirst(prefix.count).drop { $0 == " " }) }
    }
}

/// The server's end of a connection; used by one thread.
public final class LocalConnection {
    let server: LocalServer
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isOpen = true

    fileprivate init(_ descriptor: Int32, _ server: LocalServer) {
        self.descriptor = descriptor
        self.server = server
    }

    /// Nil when the client has gone.
    public func readHead() -> LocalRequest? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = buffer.firstRange(of: end) {
                let lines = String(decoding: buffer[..<range.lowerBound], as: UTF8.self).split(separator: "\r\n")
                buffer.removeFirst(range.upperBound)
                server.count()
                return LocalRequest(line: String(lines[0]), headers: lines.dropFirst().map(String.init), body: [])
            }
            guard fill() else { return nil }
        }
    }

    public func readRequest() -> LocalRequest? {
        guard var request = readHead() else { return nil }
        if let length = request.header("content-length").flatMap({ Int($0) }) {
            guard let body = read(length) else { return nil }
            request.body = body
        } else if request.header("transfer-encoding") == "chunked" {
            while true {
                guard let line = readLine(), let size = Int(line, radix: 16), let chunk = read(size), read(2) != nil
                else { return nil }
                if size == 0 { break }
                request.body += chunk
            }
        }
        return request
    }

    public func write(_ text: String) { write(Array(text.utf8)) }

    /// Whether the client took it.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Ends the connection with a reset instead of an orderly end.
    public func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    public func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    /// Waits until the client hangs up.
    public func waitForEnd() {
        while fill() {}
    }

    /// Nil when the client goes before it has sent so many bytes.
    public func read(_ count: Int) -> [UInt8]? {
        while buffer.count < count { guard fill() else { return nil } }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    private func readLine() -> String? {
        while true {
            if let range = buffer.firstRange(of: Array("\r\n".utf8)) {
                defer { buffer.removeFirst(range.upperBound) }
                return String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
            }
            guard fill() else { return nil }
        }
    }

    private func fill() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        buffer += bytes.prefix(count)
        return true
    }
}

/// An answer with status 200.
public func ok(_ body: String, _ headers: String...) -> String {
    "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers.map { $0 + "\r\n" }.joined())\r\n\(body)"
}
