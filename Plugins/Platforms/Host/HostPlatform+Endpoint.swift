import DurableFiles
public import FleetPluginAPI
import PostgresFormats
import ProcessRunner

extension HostPlatform {
    public func endpoint(of instance: Instance) async throws -> Endpoint {
        let host = try await HostInstance.resolve(instance, on: disk)
        let declared = instance.connection
        var address = ServerAddress()
        if declared.host == nil || declared.port == nil {
            let server = try await disk.run { try ServerState.look(host) }
            address = try await self.address(of: host, server)
        }
        return Endpoint(
            host: declared.host ?? address.host, port: declared.port ?? address.port,
            user: declared.user ?? "postgres", database: declared.database ?? "postgres", password: declared.password,
            sslMode: declared.sslMode, sslRootCertificate: declared.sslRootCertificate)
    }

    /// What a running server says of itself, else what its configuration says.
    private func address(of host: HostInstance, _ server: ServerState) async throws -> ServerAddress {
        if server.ownsPIDFile || server.isListening, let file = server.pidFile, let port = file.port {
            return ServerAddress(
                port: Int(port), socketDirectories: file.socketDirectory ?? "",
                listenAddresses: file.listenAddress ?? "")
        }
        let options = host.options
        var address = ServerAddress()
        if let launch = try await self.launch(for: host) {
            async let port = ask(launch, "port", host)
            async let sockets = ask(launch, "unix_socket_directories", host)
            async let addresses = ask(launch, "listen_addresses", host)
            if let answer = try await port.flatMap({ Int($0) }) { address.port = answer }
            address.socketDirectories = try await sockets ?? address.socketDirectories
            address.listenAddresses = try await addresses ?? address.listenAddresses
        }
        if let port = options.integer("port") { address.port = Int(port) }
        if let directory = options.string("socketDirectory") { address.socketDirectories = directory }
        return address
    }

    /// Nil while there is nothing to be started.
    private func launch(for host: HostInstance) async throws -> ServerLaunch? {
        guard !host.isAbsent, let binaries = try await Installation.find(for: host, running: nil) else { return nil }
        let file = try await disk.run { try ServerConfiguration.find(for: host) }
        return ServerLaunch(host, binDirectory: binaries, configFile: file)
    }

    /// Nil when the configuration cannot be read: the server would not start either, and says why then.
    private func ask(_ launch: ServerLaunch, _ name: String, _ host: HostInstance) async throws -> String? {
        do {
            let answer = try await launch.query(name, as: host.owner).checked()
            return answer.outputText.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
        } catch let error as FleetError where error.code == .failed {
            return nil
        }
    }
}

/// Where a server listens, as its settings say it.
struct ServerAddress: Hashable, Sendable {
    var port = 5432
    /// `unix_socket_directories`: a list with commas.
    var socketDirectories = ServerAddress.defaultSocketDirectory
    /// `listen_addresses`: likewise.
    var listenAddresses = "localhost"

    /// A Unix socket where there is one: there nobody can listen in, and the kernel says who calls.
    var host: String {
        if let directory = Self.list(socketDirectories).first(where: { $0.hasPrefix("/") }) { return directory }
        switch Self.list(listenAddresses).first {
        case nil, "*", "0.0.0.0": return "127.0.0.1"
        case "::": return "::1"
        case let address?: return address
        }
    }

    /// Debian's; PostgreSQL's own is `/tmp`.
    static let defaultSocketDirectory = "/var/run/postgresql"

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { part in
            String(part.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }.filter { !$0.isEmpty }
    }
}
