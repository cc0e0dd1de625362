import FleetTestSupport
import Glibc
import Synchronization

/// Stands between a storage and a server and does to chosen requests what networks and servers do.
final class FaultProxy: Sendable {
    enum Fault: Sendable {
        /// Passed on as it is.
        case none
        /// The connection is reset; the server never hears of the request.
        case resetBefore
        /// The server carries it out; its answer is lost to a reset.
        case resetAfter
        /// The proxy answers instead of the server.
        case answer(String)
        /// The answer's body ends after so many bytes, and so does the connection.
        case cut(Int)
        /// So does the body, but the head fits it.
        case shorten(Int)
        /// The body is cut, and the head says nothing of its length.
        case unmeasured(Int)
        /// The head promises more than there is.
        case promise(Int)
        /// A byte of the answer's body is another.
        case corruptAnswer(Int)
        /// A byte of the request's body is another.
        case corruptRequest(Int)
        /// A piece at a time.
        case slow(pieces: Int, pause: UInt32)
        /// No answer ever.
        case silence
    }

    private struct State {
        var plan: [Fault] = []
        var lines: [String] = []
    }

    let server: LocalServer
    private let state: SharedState

    private final class SharedState: Sendable {
        let mutex = Mutex(State())
    }

    init(to port: Int) throws {
        let state = SharedState()
        self.state = state
        server = try LocalServer { connection in
            while let request = connection.readRequest() {
                let fault = state.mutex.withLock { state in
                    state.lines.append(request.line)
                    return state.plan.isEmpty ? Fault.none : state.plan.removeFirst()
                }
                guard Self.serve(request, fault, port, connection) else { return }
            }
        }
    }

    var endpoint: String { server.url }

    /// What happens to the next requests, one after the other; after them all is well.
    func plan(_ faults: Fault...) { state.mutex.withLock { $0.plan = faults } }
    func plan(_ faults: [Fault]) { state.mutex.withLock { $0.plan = faults } }

    /// Faults that have not happened yet.
    var pending: Int { state.mutex.withLock { $0.plan.count } }

    /// Request lines since the last call.
    func takeLines() -> [String] {
        state.mutex.withLock { state in
            defer { state.lines = [] }
            return state.lines
        }
    }

    /// Whether the connection goes on.
    private static func serve(
        _ request: LocalRequest, _ fault: Fault, _ port: Int, _ connection: LocalConnection
    ) -> Bool {
        var request = request
        switch fault {
        case .resetBefore:
            connection.reset()
            return false
        case .answer(let text):
            connection.write(text)
            return true
        case .silence:
            connection.waitForEnd()
            return false
        case .corruptRequest(let position) where request.body.indices.contains(position):
            request.body[position] ^= 0x20
        default: break
        }
        guard var answer = Answer(forward(request, to: port)) else {
            connection.reset()
            return false
        }
        switch fault {
        case .resetAfter:
            connection.reset()
            return false
        case .cut(let count):
            connection.write(answer.head + answer.body.prefix(count))
            return false
        case .shorten(let count):
            answer.setLength(min(count, answer.body.count))
            connection.write(answer.head + answer.body.prefix(count))
            return true
        case .unmeasured(let count):
            answer.setLength(nil)
            connection.write(answer.head + answer.body.prefix(count))
            return false
        case .promise(let count):
            answer.setLength(answer.body.count + count)
            connection.write(answer.head + answer.body)
            return false
        case .corruptAnswer(let position):
            if answer.body.indices.contains(position) { answer.body[position] ^= 0x20 }
            connection.write(answer.head + answer.body)
            return true
        case .slow(let pieces, let pause):
            connection.write(answer.head)
            let size = max(1, answer.body.count / pieces)
            for start in stride(from: 0, to: answer.body.count, by: size) {
                usleep(pause)
                guard connection.write(Array(answer.body[start..<min(start + size, answer.body.count)])) else {
                    return false
                }
            }
            return true
        default:
            connection.write(answer.head + answer.body)
            return true
        }
    }

    private struct Answer {
        var lines: [String]
        var body: [UInt8]

        init?(_ bytes: [UInt8]) {
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
            lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n").map(String.init)
                .filter { !$0.lowercased().hasPrefix("connection:") }
            body = Array(bytes[end.upperBound...])
        }

        var head: [UInt8] { Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) }

        mutating func setLength(_ length: Int?) {
            lines.removeAll { $0.lowercased().hasPrefix("content-length:") }
            lines.append(length.map { "Content-Length: \($0)" } ?? "Connection: close")
        }
    }

    /// The whole answer of the server on `port`.
    private static func forward(_ request: LocalRequest, to port: Int) -> [UInt8] {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return [] }
        let headers = request.headers.filter { !$0.lowercased().hasPrefix("connection:") } + ["Connection: close"]
        let head = "\(request.line)\r\n\(headers.joined(separator: "\r\n"))\r\n\r\n"
        var rest = (Array(head.utf8) + request.body)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return answer }
            answer += buffer.prefix(count)
        }
    }
}

/// An S3 error as a server words it.
func s3Error(_ status: Int, _ code: String, _ message: String = "as asked", headers: String...) -> String {
    let body = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
    let lines = (["Content-Length: \(body.utf8.count)"] + headers).map { $0 + "\r\n" }.joined()
    return "HTTP/1.1 \(status) X\r\n\(lines)\r\n\(body)"
}
