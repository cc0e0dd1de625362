import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// The coordinator is killed with SIGKILL and the run resumed: it ends as an undisturbed one does.
@Suite(.serialized) struct CrashSerial {
    /// A fleet with a writing application, a backup, acknowledged commits, and a target among them.
    private func prepared(
        settings: [String: String] = [:], _ body: (FleetFixture, CommitOracle, Timestamp) async throws -> Void
    ) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(
                in: scratch, applications: WritingApplication.declaration, settings: settings)
            let oracle = try await CommitOracle(fleet.server(), in: scratch)
            try await WritingApplication.start(fleet)
            try await oracle.write(from: 1, count: 20)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 21, count: 100)
            try await body(fleet, oracle, oracle.commits()[69].acknowledged)
        }
    }

    private func expectRestored(_ fleet: FleetFixture, _ oracle: CommitOracle, to target: Timestamp) async throws {
        let server = try fleet.server()
        let run = try await fleet.run()
        #expect(try await fleet.runs("restore").count == 1)
        #expect(try await fleet.state(of: run) == "succeeded")
        #expect(try await oracle.violations(at: target).isEmpty)
        #expect(try await server.value("select pg_is_in_recovery()") == "f")
        #expect(try await fleet.timeline() == 2)
        #expect(try await server.value("select last_archived_wal like '00000002%' from pg_stat_archiver") == "t")
        #expect(try await server.value("show restore_command") == "")
        #expect(try await server.value("show archive_mode") == "on")
        try await waitUntil("the application is back") { try await fleet.scale() == "2/2/2" }
        #expect(fleet.leftovers() == [])
        let backups = try await fleet.json("backups", "list")["backups"]?.array ?? []
        #expect(backups.filter { $0["timeline"]?.integer == 2 }.count == 1)
    }

    /// Steps of a restore as its plain progress lines name them.
    static let steps = [
        "tell people that it begins", "take down web", "see that nobody is connected", "archive all that orders",
        "stop orders", "restore the data", "start orders", "replay WAL", "check orders", "promote orders",
        "see that orders archives", "bring back web", "see that web is well", "back up orders",
        "tell people that it is done",
    ]

    /// Killed at the beginning of each step in turn, and again some way into it.
    @Test(arguments: [0, 60]) func killedInEveryStep(milliseconds: Int) async throws {
        try await prepared { fleet, oracle, target in
            var command = ["restore", "--instance", "orders", "--target", "\(target)", "--yes"]
            for step in Self.steps {
                let running = try await fleet.launch(command)
                if try await running.reaches(step) {
                    try await Task.sleep(for: .milliseconds(milliseconds))
                    await running.kill()
                } else {
                    // A step that was done when its killer came is not begun again.
                    let code = await running.child.wait()
                    #expect(code == 0, "\(step): \(running.text)")
                    break
                }
                command = ["runs", "resume", try await fleet.run()]
            }
            let last = try await fleet.fleet(command)
            // The last step may have been done before it was killed.
            #expect(last.exitCode == 0 || last.errors.contains("has ended: succeeded"), "\(last.errors)")
            try await expectRestored(fleet, oracle, to: target)
        }
    }

    /// Killed when it has told the server to leave recovery and the server has not left it yet: a second coordinator
    /// sees it leave without having told it.
    @Test func killedDuringPromotion() async throws {
        try await prepared(settings: ["recovery_end_command": "sleep 3"]) { fleet, oracle, target in
            let running = try await fleet.launch(
                ["restore", "--instance", "orders", "--target", "\(target)", "--yes"])
            #expect(try await running.reaches("promote orders"), "\(running.text)")
            try await Task.sleep(for: .milliseconds(1200))
            await running.kill()
            #expect(try await fleet.server().value("select pg_is_in_recovery()") == "t")
            let resumed = try await fleet.fleet(["runs", "resume", try await fleet.run()])
            #expect(resumed.exitCode == 0, "\(resumed.errors)")
            try await expectRestored(fleet, oracle, to: target)
        }
    }

    /// Killed where a step has ended and the next is not begun, as near as can be seen from outside.
    @Test func killedBetweenSteps() async throws {
        try await prepared { fleet, oracle, target in
            var command = ["restore", "--instance", "orders", "--target", "\(target)", "--yes"]
            for step in ["take down web", "stop orders", "restore the data", "replay WAL", "promote orders"] {
                let running = try await fleet.launch(command)
                #expect(try await running.writes("✓ \(step)"), "\(running.text)")
                await running.kill()
                command = ["runs", "resume", try await fleet.run()]
            }
            let last = try await fleet.fleet(command)
            #expect(last.exitCode == 0, "\(last.errors)")
            try await expectRestored(fleet, oracle, to: target)
        }
    }

    /// The undo is a run as well.
    @Test func anUndoThatIsKilledGoesOn() async throws {
        try await prepared { fleet, oracle, target in
            let server = try fleet.server()
            try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup"
            ).checked()
            var command = ["runs", "undo", try await fleet.run(), "--yes"]
            for step in ["see that web is down", "stop orders", "restore the data", "check orders", "promote orders"] {
                let running = try await fleet.launch(command)
                #expect(try await running.reaches(step), "\(running.text)")
                await running.kill()
                command = ["runs", "resume", try await fleet.run("undo")]
            }
            let last = try await fleet.fleet(command)
            #expect(last.exitCode == 0, "\(last.errors)")
            #expect(try await server.value("select count(*) from oracle") == "120")
            #expect(try await fleet.runs("restore").first?["undoneBy"]?.string == fleet.run("undo"))
            try await waitUntil("the application is back") { try await fleet.scale() == "2/2/2" }
            #expect(fleet.leftovers() == [])
        }
    }
}
