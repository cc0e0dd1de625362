import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import ServerControl
import Testing

@Suite("Recovery", .serialized)
struct RecoveryTests {
    @Test("paused at a target, promoted, settings reset", arguments: PostgresInstallation.testedMajors)
    func restore(major: Int) async throws {
        try await withScratch { scratch in
            let archive = try scratch.directory("archive", owner: .current)
            let settings = ["archive_mode": "on", "archive_command": "cp %p \(archive)/%f"]
            let installation = try await PostgresInstallation.major(major)
            let source = try await PostgresServer.create(
                in: scratch, .init(settings: settings, installation: installation))
            try await source.start()
            let copies = try scratch.directory("copies", owner: .current)
            try await source.run("pg_basebackup", ["-D", "\(copies)/data", "-X", "none", "-c", "fast"], connects: true)
                .checked()
            try await source.query("CREATE TABLE t (i int)")
            let commit = try #require(
                Timestamp(
                    rfc3339:
                        try await source.value(
                            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
                ))
            let point = try await servers.createRestorePoint("here", at: source.endpoint, deadline: limit)
            try await source.query("DROP TABLE t")
            let end = try await servers.switchWAL(source.endpoint, deadline: limit)
            try await servers.awaitArchived(end, at: source.endpoint, deadline: limit)

            let data = "\(copies)/data"
            try "".write(toFile: "\(data)/recovery.signal", atomically: false, encoding: .utf8)
            let auto = [
                "restore_command = 'cp \(archive)/%f %p'", "recovery_target_name = 'here'",
                "recovery_target_action = 'pause'", "archive_mode = 'off'",
            ]
            try (auto.joined(separator: "\n") + "\n").write(
                toFile: "\(data)/postgresql.auto.conf", atomically: false, encoding: .utf8)
            if ServerOwner.current.isOther {
                try await runTool(["chown", "postgres", "\(data)/postgresql.auto.conf"]).checked()
            }
            let copy = try await PostgresServer.adopt(dataDirectory: data, in: scratch, installation: installation)
            try await copy.start()
            try await waitUntil("it is paused") {
                try await servers.replay(copy.endpoint, deadline: limit).isPaused
            }
            let replay = try await servers.replay(copy.endpoint, deadline: limit)
            #expect(replay.isInRecovery && replay.replayedTo == point && replay.timeline == 1)
            let last = try #require(replay.lastTransactionAt)
            #expect(last <= commit && commit - last < .seconds(60))
            #expect(try await servers.observe(copy.endpoint, deadline: limit).isInRecovery)
            let refused = await fleetError { _ = try await servers.heartbeat(copy.endpoint, deadline: limit) }
            #expect(refused?.code == .unsupported)
            let table = DataCheck(
                name: "t", database: "postgres", sql: "SELECT count(*) FROM t", expectation: .equals("0"))
            #expect(try await servers.check(table, at: copy.endpoint, deadline: limit).passed)

            try await servers.promote(copy.endpoint, deadline: limit)
            try await servers.promote(copy.endpoint, deadline: limit)
            let after = try await servers.replay(copy.endpoint, deadline: limit)
            #expect(!after.isInRecovery && !after.isPaused && after.timeline == 2)
            #expect(try await servers.observe(copy.endpoint, deadline: limit).timeline == 2)
            try await servers.checkpoint(copy.endpoint, deadline: limit)
            #expect(try await copy.controlData("Latest checkpoint's TimeLineID") == "2")
            let names: [String: String?] = [
                "restore_command": nil, "recovery_target_name": nil, "recovery_target_action": nil, "archive_mode": nil,
            ]
            try await servers.changeSettings(names, at: copy.endpoint, deadline: limit)
            try await servers.changeSettings(names, at: copy.endpoint, deadline: limit)
            let left = try String(contentsOfFile: "\(data)/postgresql.auto.conf", encoding: .utf8)
            #expect(!left.contains("recovery_target") && !left.contains("archive_mode"))
            // Up to 13 only a restart changes it.
            if major >= 14 {
                #expect(try await copy.value("SELECT setting FROM pg_settings WHERE name = 'restore_command'") == "")
            }
            // A timeline that was left is read to its end.
            var old = 0
            try await servers.readWAL(
                from: LSN(point.rawValue / (16 << 20) * (16 << 20)), timeline: 1, at: copy.endpoint, deadline: limit
            ) { _, bytes in old += bytes.count }
            #expect(old == Int(point.rawValue % (16 << 20)))
        }
    }

    @Test("checks are judged, read only, and bounded")
    func checks() async throws {
        try await withPostgres { server in
            try await server.query("CREATE DATABASE shop")
            try await server.query("CREATE TABLE orders AS SELECT generate_series(1, 10) AS id", database: "shop")
            func ask(_ sql: String, _ expectation: DataCheck.Expectation, within: Duration = limit) async throws
                -> DataCheckResult
            {
                try await servers.check(
                    DataCheck(name: "c", database: "shop", sql: sql, expectation: expectation), at: server.endpoint,
                    deadline: within)
            }
            let count = "SELECT count(*) FROM orders"
            #expect(try await ask(count, .atLeast(10)).passed)
            #expect(try await ask(count, .atMost(10)).passed)
            #expect(try await ask(count, .equals("10")).passed)
            #expect(try await ask("SELECT * FROM orders", .succeeds).passed)
            let few = try await ask(count, .atLeast(11))
            #expect(!few.passed && few.value == "10" && few.reason != nil)
            for sql in [
                "SELECT NULL", "SELECT 'many'", "SELECT 'NaN'::float", "SELECT 1 WHERE false", "SELECT 12, 12",
                "SELECT * FROM orders", "SELECT 1/0", "SELECT * FROM missing", "SELECT 20; SELECT 20", "",
                "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT 100 FROM gone LIMIT 1",
                "INSERT INTO orders VALUES (100) RETURNING 100", "COMMIT",
                "DO $$ BEGIN SET transaction_read_only = off; DELETE FROM orders; END $$",
            ] {
                let result = try await ask(sql, .atLeast(11))
                #expect(!result.passed && result.reason != nil, "\(sql)")
            }
            #expect(try await server.value(count, database: "shop") == "10")
            #expect(
                await fleetError { _ = try await ask("SELECT pg_sleep(60)", .succeeds, within: .milliseconds(300)) }?
                    .code == .timedOut)
            let missing = await fleetError {
                _ = try await servers.check(
                    DataCheck(name: "c", database: "nowhere", sql: "SELECT 1", expectation: .succeeds),
                    at: server.endpoint, deadline: limit)
            }
            #expect(missing?.code == .notFound)
        }
    }
}
