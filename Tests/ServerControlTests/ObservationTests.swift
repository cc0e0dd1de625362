import FleetPluginAPI
import FleetTestSupport
import ServerControl
import Testing

@Suite("Observing servers", .serialized)
struct ObservationTests {
    @Test("a primary is seen as it is", arguments: PostgresInstallation.testedMajors)
    func primary(major: Int) async throws {
        let settings = ["archive_mode": "on", "archive_command": "test %f", "max_worker_processes": "11"]
        try await withPostgres(major: major, .init(settings: settings, segmentMegabytes: 2)) { server in
            let space = try server.scratch.directory("a space", owner: .current)
            try await server.query("CREATE DATABASE shop")
            try await server.query("CREATE TABLESPACE elsewhere LOCATION '\(space)'")
            try await server.query("BEGIN; CREATE TABLE t (i int); PREPARE TRANSACTION 'half'")
            try await server.query("SELECT pg_switch_wal()")
            try await waitUntil("a segment is archived") {
                try await server.value("SELECT archived_count > 0 FROM pg_stat_archiver") == "t"
            }
            let seen = try await servers.observe(server.endpoint, deadline: limit)
            #expect(seen.version / 10_000 == major)
            let identifier = try await server.controlData("Database system identifier")
            #expect(seen.systemIdentifier.description == identifier)
            #expect(seen.timeline == 1 && !seen.isInRecovery && seen.lsn > LSN(1 << 20))
            #expect(seen.databases.map(\.name) == ["postgres", "shop"])
            #expect(seen.databases.allSatisfy { $0.size > 1 << 20 })
            #expect(seen.size > seen.databases.reduce(0) { $0 + $1.size })
            #expect(seen.dataDirectory == server.dataDirectory && seen.hasDataChecksums)
            #expect(seen.walSegmentSize == 2 << 20 && seen.tablespaces.map(\.path) == [space])
            #expect(seen.startedAt < seen.clock && seen.clock - seen.startedAt < .seconds(300))
            #expect(seen.preparedTransactions == 1)
            #expect(seen.parameters.maxConnections == 40 && seen.parameters.maxWorkerProcesses == 11)
            #expect(seen.archiving.mode == "on" && seen.archiving.command == "test %f")
            #expect(seen.archiving.archivedCount > 0 && seen.archiving.lastArchivedAt != nil)
            #expect(!seen.archiving.isFailing)
            let started = try await server.value(
                "SELECT to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            #expect(Timestamp(rfc3339: started) == seen.startedAt)
        }
    }

    @Test("a user with few rights sees what he may, and is told what is missing")
    func unprivileged() async throws {
        try await withPostgres { server in
            try await server.query("CREATE ROLE plain LOGIN; CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher")
            var endpoint = server.endpoint
            endpoint.user = "plain"
            let seen = try await servers.observe(endpoint, deadline: limit)
            #expect(seen.dataDirectory == nil && seen.systemIdentifier.rawValue > 0 && seen.timeline == 1)
            let blind = await fleetError { _ = try await servers.sessions(endpoint, deadline: limit) }
            #expect(blind?.code == .denied && blind?.hint?.contains("pg_monitor") == true)
            let forbidden = await fleetError { _ = try await servers.switchWAL(endpoint, deadline: limit) }
            #expect(forbidden?.code == .denied)
            endpoint.user = "watcher"
            #expect(try await servers.observe(endpoint, deadline: limit).dataDirectory == server.dataDirectory)
            #expect(try await servers.sessions(endpoint, deadline: limit).isEmpty)
        }
    }

    @Test("an absent or hanging server costs no more than the deadline; a password is resolved when needed")
    func unreachable() async throws {
        let absent = Endpoint(host: "127.0.0.1", port: FreePort.next(), user: "postgres")
        #expect(await fleetError { _ = try await servers.observe(absent, deadline: limit) }?.code == .unavailable)
        let hba = ["local all all trust", "host all all 127.0.0.1/32 scram-sha-256"]
        try await withPostgres(.init(hba: hba)) { server in
            try await server.query("CREATE ROLE keeper LOGIN PASSWORD 'right'")
            let keeper = PostgresDatabaseServers { reference in
                reference == .environment("A") ? Secret("right") : Secret("wrong")
            }
            var endpoint = Endpoint(host: "127.0.0.1", port: server.port, user: "keeper", password: .environment("A"))
            #expect(try await keeper.observe(endpoint, deadline: limit).timeline == 1)
            endpoint.password = .environment("B")
            #expect(await fleetError { _ = try await keeper.observe(endpoint, deadline: limit) }?.code == .denied)
            server.freeze(true)
            let hung = await fleetError {
                _ = try await servers.observe(server.endpoint, deadline: .milliseconds(300))
            }
            #expect(hung?.code == .timedOut)
            server.freeze(false)
        }
    }

    @Test("sessions are listed and ended; others that took over a pid are left alone")
    func sessions() async throws {
        try await withPostgres { server in
            let shop = try await server.hold("SELECT 1", application: "shop")
            let other = try await server.hold("SELECT 1", application: "other")
            // The session that looked whether those two hold takes its time to end.
            try await waitUntil("the fixture's own session is gone") {
                try await !servers.sessions(server.endpoint, deadline: limit).contains { $0.application == "psql" }
            }
            let found = try await servers.sessions(server.endpoint, deadline: limit)
            #expect(found.map(\.application) == ["shop", "other"])
            #expect(found.allSatisfy { $0.database == "postgres" && $0.client == "local" && $0.state == "active" })
            let first = try #require(found.first)
            var stranger = first
            stranger.startedAt = first.startedAt + .microseconds(1)
            #expect(try await servers.terminate([stranger], at: server.endpoint, deadline: limit) == 0)
            #expect(try await servers.terminate([first], at: server.endpoint, deadline: limit) == 1)
            #expect(await shop.wait() != 0)
            #expect(other.isRunning)
            #expect(try await servers.terminate([first], at: server.endpoint, deadline: limit) == 0)
            #expect(try await servers.terminate([], at: server.endpoint, deadline: limit) == 0)
            #expect(try await servers.sessions(server.endpoint, deadline: limit).map(\.application) == ["other"])
        }
    }
}
