import FleetPluginAPI
import FleetTestSupport
import ServerControl
import Testing

let limit: Duration = .seconds(30)

/// Servers without passwords.
let servers = PostgresDatabaseServers { _ in throw FleetError(.configuration, "no secret is expected here") }

extension PostgresServer {
    var endpoint: Endpoint { Endpoint(host: socketDirectory, port: port, user: user) }

    /// Runs SQL in a session of its own that stays open until the task is cancelled.
    func hold(_ sql: String, application: String) async throws -> ChildProcess {
        let argv = installation.owner.argv([
            installation.program("psql"), "-X", "-h", socketDirectory, "-p", "\(port)", "-U", user, "-d", "postgres",
            "-c", sql, "-c", "SELECT pg_sleep(600)",
        ])
        let child = try await ChildProcess.start(
            argv, environment: ["PGAPPNAME": application, "PATH": "/usr/bin:/bin"], directory: "/")
        scratch.onCleanUp { child.signal(9) }
        try await waitUntil("\(application) is connected") {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(application)'"
            return try await self.value("\(sql) AND query LIKE '%pg_sleep%' AND state = 'active'") == "1"
        }
        return child
    }
}

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
