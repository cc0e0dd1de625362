import FleetPluginAPI
import FleetTestSupport

/// An application that writes into the server `orders` all the time: two copies of a shell script that `fleet` runs.
enum WritingApplication {
    /// For `applications:` of a fixture. The script is written by `install`.
    static let declaration = """
          web:
            cluster: prod
            uses: [orders]
            scaler: {plugin: process, command: [/bin/bash, $SCRATCH/web.sh], count: 2, startSeconds: 0, stopSeconds: 5}
        """

    /// Writes the script, makes its table and starts the application.
    static func start(_ fleet: FleetFixture) async throws {
        let server = try fleet.server()
        try await server.query("create table visits (at timestamptz default clock_timestamp())")
        try fleet.scratch.write(
            """
            #!/bin/bash
            while sleep 0.2; do
                echo 'insert into visits default values;'
            done | '\(server.installation.program("psql"))' -Xq -h '\(server.socketDirectory)' -p \(server.port) -U postgres postgres

            """, to: "web.sh")
        // Its supervisor outlives whoever started it, and would keep its state in a directory that is gone.
        fleet.scratch.onCleanUp { _ = try? await fleet.fleet("applications", "stop", "web") }
        try await fleet.fleet("applications", "start", "web").checked()
    }
}
