import FleetPluginAPI
import FleetTestSupport
import Testing

/// Every kind of target, with exactly the rows that belong to it.
@Suite(.serialized) struct TargetSerial {
    /// Rows 1, 2, … each committed alone, and where each was committed.
    private struct Row {
        var lsn: String
        var xid: String
        var time: Timestamp
    }

    private func insert(_ id: Int, _ server: PostgresServer) async throws -> Row {
        let xid = try await server.value("insert into rows values (\(id)) returning pg_current_xact_id()")
        let lsn = try await server.value("select pg_current_wal_insert_lsn()")
        // Times of commits are told apart in microseconds; psql's own start keeps them far enough away.
        let time = try await server.value("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
        return Row(lsn: lsn, xid: xid, time: Timestamp(microseconds: Int64(time) ?? 0))
    }

    private func restore(_ fleet: FleetFixture, _ target: String, _ more: String...) async throws {
        let result = try await fleet.fleet(
            ["restore", "--instance", "orders", "--target", target, "--yes", "--no-backup"] + more)
        #expect(result.exitCode == 0, "\(target): \(result.errors)\(result.text)")
    }

    private func rows(_ server: PostgresServer) async throws -> String {
        try await server.value("select coalesce(string_agg(id::text, ' ' order by id), '') from rows")
    }

    @Test(arguments: FleetFixture.Engine.allCases) func timesAndTheEnd(_ engine: FleetFixture.Engine) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: engine)
            let server = try fleet.server()
            try await server.query("create table rows (id integer)")
            try await fleet.fleet("backup", "orders").checked()
            let first = try await insert(1, server)
            try await Task.sleep(for: .seconds(2))
            let second = try await insert(2, server)
            // So long before the plan is made, in the clock of the server; its title has the moment.
            try await restore(fleet, "-1s", "--way-back", "none")
            let title = try await fleet.runs("restore").first?["title"]?.string ?? ""
            let moment = try #require(title.split(separator: " ").last.flatMap { Timestamp(rfc3339: String($0)) })
            #expect(moment >= first.time)
            #expect(try await rows(server) == (second.time <= moment ? "1 2" : "1"))
            try await restore(fleet, "\(first.time)", "--way-back", "none")
            #expect(try await rows(server) == "1")
            // Nothing was committed after this one, and no WAL is archived that says so.
            let now = try await server.value("select to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            try await restore(fleet, now, "--way-back", "set-aside")
            #expect(try await rows(server) == "1")
            _ = try await insert(3, server)
            try await restore(fleet, "latest")
            #expect(try await rows(server) == "1 3")
            // Nothing was committed after this target: fleet sees to it that it can be reached.
            let idle = try await server.value("select to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            try await restore(fleet, idle)
            #expect(try await rows(server) == "1 3")
            try await restore(fleet, "\(first.time)")
            #expect(try await rows(server) == "1")
        }
    }

    @Test(arguments: FleetFixture.Engine.allCases) func positionsTransactionsNamesAndTheBackupItself(
        _ engine: FleetFixture.Engine
    ) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: engine)
            let server = try fleet.server()
            try await server.query("create table rows (id integer)")
            _ = try await insert(1, server)
            try await fleet.fleet("backup", "orders").checked()
            _ = try await insert(2, server)
            try await server.query("select pg_create_restore_point('before deploy')")
            let third = try await insert(3, server)
            let fourth = try await insert(4, server)
            _ = try await insert(5, server)
            // Each lies before the place where the one before it left the timeline.
            try await restore(fleet, "lsn:\(fourth.lsn)")
            #expect(try await rows(server) == "1 2 3 4")
            try await restore(fleet, "xid:\(third.xid)")
            #expect(try await rows(server) == "1 2 3")
            try await restore(fleet, "name:before deploy")
            #expect(try await rows(server) == "1 2")
            try await restore(fleet, "immediate")
            #expect(try await rows(server) == "1")
            // What was left behind on the first timeline is still there.
            try await restore(fleet, "latest", "--timeline", "1")
            #expect(try await rows(server) == "1 2 3 4 5")
        }
    }
}
