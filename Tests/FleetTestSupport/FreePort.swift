import Glibc
import Synchronization

/// TCP ports on which nobody listens.
public enum FreePort {
    private static let taken = Mutex<Set<Int>>([])

    /// A port of 127.0.0.1 that was free a moment ago and has not been handed out in this process before.
    ///
    /// Below Linux's ephemeral range (32768…), so that no outgoing connection takes it in the meantime.
    public static func next() -> Int {
        while true {
            let port = Int.random(in: 20000..<32000)
            if taken.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
        }
    }

    /// Whether a listener could be opened on 127.0.0.1.
    public static func isFree(_ port: Int) -> Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
