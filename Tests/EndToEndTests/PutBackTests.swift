import FleetPluginAPI
import FleetTestSupport
import Testing

@Suite(.serialized) struct PutBackSerial {
    @Test func aRestoreWhoseChecksFailIsPutBackByTheSameCommand() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(
                in: scratch,
                checks: "[{name: rows, database: postgres, sql: select count(*) from kept, atLeast: 3}]")
            let server = try fleet.server()
            _ = try await server.query("create table kept (id integer)")
            try await fleet.fleet("backup", "orders").checked()
            let target = try await Self.commitAndAskForTheTime(server, "insert into kept values (1)")
            _ = try await server.query("insert into kept values (2), (3), (4)")
            let restored = try await fleet.fleet("restore", "--instance", "orders", "--target", target, "--yes")
            #expect(restored.exitCode == 1, "\(restored.errors)")
            #expect(restored.errors.contains("checks of orders failed"))
            #expect(try await server.value("select count(*) from kept") == "4")
            #expect(try await server.value("select pg_is_in_recovery()") == "f")
            let runs = try await fleet.json("runs", "list")["runs"]?.array ?? []
            #expect(runs.first { $0["kind"]?.string == "restore" }?["state"]?.string == "aborted")
            #expect(runs.first { $0["kind"]?.string == "undo" }?["state"]?.string == "succeeded")
        }
    }

    @Test func nothingHappensWithoutAConfirmationOrToAWorldThatChanged() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            _ = try await server.query("create table kept (id integer)")
            try await fleet.fleet("backup", "orders").checked()
            let target = try await Self.commitAndAskForTheTime(server, "insert into kept values (1)")
            _ = try await server.query("insert into kept values (2)")
            let restore = ["restore", "--instance", "orders", "--target", target]
            let refused = try await fleet.fleet(restore)
            #expect(refused.exitCode == 3)
            #expect(refused.errors.contains("not confirmed"))
            #expect(try await fleet.fleet(restore + ["--dry-run"]).exitCode == 0)
            let plan = scratch.path("plan.json")
            try await fleet.fleet(restore + ["--plan-out", plan]).checked()
            #expect(try await server.value("select count(*) from kept") == "2")
            #expect(try await fleet.json("runs", "list")["runs"]?.array?.count == 1)
            try await fleet.fleet("apply", plan, "--yes").checked()
            #expect(try await server.value("select count(*) from kept") == "1")
            // The plan was made for timeline 1.
            let drifted = try await fleet.fleet("apply", plan, "--yes")
            #expect(drifted.exitCode == 3)
            #expect(drifted.errors.contains("timeline 2, not 1"), "\(drifted.errors)")
        }
    }

    /// A moment after this commit and before the next.
    private static func commitAndAskForTheTime(_ server: PostgresServer, _ sql: String) async throws -> String {
        _ = try await server.query(sql)
        let time = try await server.value(
            "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        try await Task.sleep(for: .milliseconds(20))
        return time
    }
}
