import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// What was before a restore is back after it was given up, its last commit included.
@Suite(.serialized) struct AbortSerial {
    private func prepared(
        checks: String = "[]", _ body: (FleetFixture, PostgresServer, Timestamp) async throws -> Void
    ) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(
                in: scratch, applications: WritingApplication.declaration, checks: checks)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await WritingApplication.start(fleet)
            // Neither 2 nor 1 as at first: what was before is what comes back.
            try await fleet.fleet("applications", "scale", "web", "1").checked()
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 60)
            try await body(fleet, server, oracle.commits()[29].acknowledged)
        }
    }

    private func expectUntouched(_ fleet: FleetFixture, timelines: Set<Int>) async throws {
        let server = try fleet.server()
        #expect(try await fleet.state(of: fleet.run()) == "aborted")
        #expect(try await server.value("select pg_is_in_recovery()") == "f")
        #expect(try await server.value("select count(*) from oracle") == "60")
        #expect(try await timelines.contains(fleet.timeline()))
        try await waitUntil("the application is back") { try await fleet.scale() == "1/1/1" }
        #expect(fleet.leftovers() == [])
        // It archives, and can be restored again.
        let segment = try await server.value("select pg_walfile_name(pg_switch_wal())")
        try await waitUntil("\(segment) is archived") {
            try await server.value("select last_archived_wal >= '\(segment)' from pg_stat_archiver") == "t"
        }
        let plan = try await fleet.fleet("restore", "--instance", "orders", "--target", "latest", "--dry-run")
        #expect(plan.exitCode == 0, "\(plan.errors)")
    }

    /// Steps at whose beginning the coordinator dies, and the timelines that putting back may end on.
    static let places: [(String, Set<Int>)] = [
        ("take down web", [1]), ("stop orders", [1]), ("restore the data", [2]), ("check orders", [2]),
        // The promotion has happened or not.
        ("promote orders", [2, 3]), ("bring back web", [3]),
    ]

    /// The coordinator died; somebody decides to give the restore up.
    @Test(arguments: places)
    func afterACrash(in step: String, endsOnTimelines timelines: Set<Int>) async throws {
        try await prepared { fleet, _, target in
            let running = try await fleet.launch(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup")
            #expect(try await running.reaches(step), "\(running.text)")
            await running.kill()
            let aborted = try await fleet.fleet("runs", "abort", fleet.run(), "--yes")
            #expect(aborted.exitCode == 0, "\(aborted.errors)\(aborted.text)")
            try await expectUntouched(fleet, timelines: timelines)
        }
    }

    /// The coordinator died when what the application was is recorded, and the application is not yet taken down.
    @Test func beforeTheApplicationWasTakenDown() async throws {
        try await prepared { fleet, _, target in
            let running = try await fleet.launch(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup")
            #expect(try await running.reaches("take down web"), "\(running.text)")
            await running.kill()
            // As it would be had the kill come a moment earlier.
            let application = fleet.scratch.path("state/applications/web")
            let run = try await fleet.run()
            try #"{"details":null,"original":1,"run":"\#(run)"}"#
                .write(toFile: "\(application)/record.json", atomically: true, encoding: .utf8)
            let desired = try String(contentsOfFile: "\(application)/desired.json", encoding: .utf8)
            let generation = try #require(desired.firstMatch(of: #/"generation":(\d+)/#)?.1)
            try #"{"count":1,"generation":\#((Int(generation) ?? 0) + 1)}"#
                .write(toFile: "\(application)/desired.json", atomically: true, encoding: .utf8)
            let aborted = try await fleet.fleet("runs", "abort", run, "--yes")
            #expect(aborted.exitCode == 0, "\(aborted.errors)\(aborted.text)")
            try await expectUntouched(fleet, timelines: [1])
        }
    }

    /// Putting back is killed as well, more than once; whoever asks again has it finished.
    @Test func aPuttingBackThatIsKilledGoesOn() async throws {
        try await prepared { fleet, _, target in
            let running = try await fleet.launch(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup")
            #expect(try await running.reaches("check orders"), "\(running.text)")
            await running.kill()
            let run = try await fleet.run()
            for (verb, step) in [("abort", "stop orders"), ("abort", "start orders"), ("resume", "promote orders")] {
                let back = try await fleet.launch(["runs", verb, run] + (verb == "abort" ? ["--yes"] : []))
                #expect(try await back.reaches(step), "\(back.text)")
                await back.kill()
            }
            let last = try await fleet.fleet("runs", "abort", run, "--yes")
            #expect(last.exitCode == 0, "\(last.errors)\(last.text)")
            #expect(try await fleet.runs("undo").count == 1)
            try await expectUntouched(fleet, timelines: [2, 3])
        }
    }

    /// Somebody else asks the living coordinator to give it up.
    @Test func whileItIsCarriedOut() async throws {
        try await prepared { fleet, _, target in
            let running = try await fleet.launch(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup")
            #expect(try await running.reaches("stop orders"), "\(running.text)")
            let aborted = try await fleet.fleet("runs", "abort", fleet.run(), "--yes")
            #expect(aborted.exitCode == 0, "\(aborted.errors)\(aborted.text)")
            #expect(await running.child.wait() == 1, "\(running.text)")
            try await expectUntouched(fleet, timelines: [1, 2])
        }
    }

    @Test func aFailedCheckPutsEverythingBack() async throws {
        try await prepared(
            checks: "[{name: all rows, sql: select count(*) from oracle, database: postgres, atLeast: 50}]"
        ) { fleet, _, target in
            let failed = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup")
            #expect(failed.exitCode == 1, "\(failed.errors)")
            #expect(failed.errors.contains("all rows"), "\(failed.errors)")
            try await expectUntouched(fleet, timelines: [2])
        }
    }

    /// With `--on-failure hold` the server stays paused for somebody to look.
    @Test func aFailedCheckCanBeHeld() async throws {
        try await prepared(
            checks: "[{name: all rows, sql: select count(*) from oracle, database: postgres, atLeast: 50}]"
        ) { fleet, server, target in
            let held = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup", "--on-failure",
                "hold")
            #expect(held.exitCode == 1, "\(held.errors)")
            #expect(try await server.value("select pg_get_wal_replay_pause_state()") == "paused")
            #expect(try await fleet.state(of: fleet.run()) == "interrupted")
            #expect(try await fleet.scale().hasPrefix("0/0/0 down by "))
            try await fleet.fleet("runs", "abort", fleet.run(), "--yes").checked()
            try await expectUntouched(fleet, timelines: [2])
        }
    }
}
