import DurableFiles
import FleetPluginAPI

/// How pgBackRest reaches the server from where a task runs.
///
/// pgBackRest knows servers beside it by their sockets only. A task in a pod of its own has none of the server's, unless
/// both mount its directory: there libpq, which pgBackRest connects with, is told the server's address in `PGHOST`.
struct ServerReach: Hashable, Sendable {
    var variables: [String: String] = [:]
    var options: [String] = []

    private static let defaultSockets = ["/var/run/postgresql", "/run/postgresql", "/tmp"]

    /// - Parameters:
    ///   - host: the address that tasks reach the server at; nil where that is a socket.
    static func find(_ program: PgBackRest, host: String?, port: Int?) async throws -> ServerReach {
        guard let host else { return ServerReach() }
        let settings = try await OwnConfiguration.settings(of: program, command: "backup")
        let configured = settings["pg1-socket-path"]
        let socketPort = settings["pg1-port"].flatMap { Int($0) } ?? (program.hasNoFile ? port : nil) ?? 5432
        for directory in configured.map({ [$0] }) ?? defaultSockets
        where try await Disk().status("\(directory)/.s.PGSQL.\(socketPort)") != nil { return ServerReach() }
        return byNetwork(host, port, ignoresSocket: configured != nil)
    }

    static func byNetwork(_ host: String, _ port: Int?, ignoresSocket: Bool) -> ServerReach {
        ServerReach(
            variables: ["PGHOST": host],
            options: (ignoresSocket ? ["--reset-pg1-socket-path"] : []) + (port.map { ["--pg1-port=\($0)"] } ?? []))
    }
}
