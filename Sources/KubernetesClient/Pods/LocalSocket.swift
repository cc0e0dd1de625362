import FleetPluginAPI
import Glibc

/// A TCP socket of this machine that blocks nobody; closed with its last reference.
final class LocalSocket: Sendable {
    private let descriptor: Int32

    /// Takes the descriptor over.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Listens on a free port of 127.0.0.1.
    static func listening() throws -> (socket: LocalSocket, port: Int) {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw failure("cannot make a socket") }
        let listener = LocalSocket(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 128) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard result else { throw failure("cannot listen on 127.0.0.1") }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Ends what goes on with it, also where its descriptor is still held.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// The next connection.
    ///
    /// - Throws: `CancellationError`, `exhausted` when there are no descriptors left.
    func accept() async throws -> LocalSocket {
        while true {
            let accepted = Glibc.accept(descriptor, nil, nil)
            if accepted >= 0 {
                _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
                var yes: Int32 = 1
                setsockopt(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
                return LocalSocket(accepted)
            }
            let code = errno
            guard code == EAGAIN || code == EINTR || code == ECONNABORTED else {
                throw Self.failure("cannot accept a connection", code)
            }
            try await wait(descriptor, .reading)
        }
    }

    /// The next bytes; nil at the end, a reset included.
    func read() async throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 32 << 10)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count > 0 { return Array(bytes.prefix(count)) }
            let code = errno
            if count == 0 || (code != EAGAIN && code != EINTR) { return nil }
            try await wait(descriptor, .reading)
        }
    }

    /// Writes all of it; false when the other side has gone.
    func write(_ bytes: [UInt8]) async throws -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                offset += count
                continue
            }
            let code = errno
            guard code == EAGAIN || code == EINTR else { return false }
            try await wait(descriptor, .writing)
        }
        return true
    }

    private func wait(_ descriptor: Int32, _ direction: DescriptorPoller.Direction) async throws {
        guard await DescriptorPoller.shared.wait(descriptor, direction) else { throw CancellationError() }
    }

    private static func failure(_ what: String, _ code: Int32 = errno) -> FleetError {
        FleetError(
            code == EMFILE || code == ENFILE ? .exhausted : .unavailable, what, cause: String(cString: strerror(code)))
    }
}
