import FleetPluginAPI
import FleetTestSupport
import PostgresClient
import Testing

extension PostgresServer {
    /// Over the Unix socket, as the superuser.
    func parameters(database: String = "postgres", settings: [String: String] = [:]) -> ConnectionParameters {
        ConnectionParameters(
            host: socketDirectory, port: port, user: user, database: database, applicationName: "client-test",
            settings: settings)
    }

    func connect(database: String = "postgres") async throws -> PostgresConnection {
        try await PostgresConnection.connect(parameters(database: database), deadline: .now + .seconds(20))
    }

    func connectReplication() async throws -> ReplicationConnection {
        try await ReplicationConnection.connect(parameters(), deadline: .now + .seconds(20))
    }
}

/// The `FleetError` that `body` throws; records an issue when it throws nothing or something else.
func fleetError(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> FleetError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: location)
        return nil
    } catch let error as FleetError {
        return error
    } catch {
        Issue.record("\(error) is no FleetError", sourceLocation: location)
        return nil
    }
}
