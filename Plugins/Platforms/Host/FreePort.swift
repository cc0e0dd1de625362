import FleetPluginAPI
import Glibc

/// TCP ports of this machine that nobody uses.
enum FreePort {
    /// Below the range that the kernel takes from for outgoing connections.
    ///
    /// - Throws: `exhausted`.
    static func find(in range: Range<Int> = 20_000..<32_000) throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: range)
            if isFree(port) { return port }
        }
        throw FleetError(.exhausted, "no free port was found", cause: "200 ports from \(range) were tried")
    }

    /// Whether a listener could be opened, on all addresses of both families.
    static func isFree(_ port: Int) -> Bool {
        canBind(AF_INET, port) && (canBind(AF_INET6, port) || !hasIPv6)
    }

    private static var hasIPv6: Bool { canBind(AF_INET6, 0) }

    private static func canBind(_ family: Int32, _ port: Int) -> Bool {
        let number = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return false }
        defer { close(number) }
        var yes: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        if family == AF_INET6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(family)
            address.sin6_port = in_port_t(port).bigEndian
            return bind(number, &address)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(family)
        address.sin_port = in_port_t(port).bigEndian
        return bind(number, &address)
    }

    private static func bind<Address>(_ socket: Int32, _ address: inout Address) -> Bool {
        let size = socklen_t(MemoryLayout<Address>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(socket, $0, size) == 0 }
        }
    }
}
