import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// What may happen in the middle of the restore of a set: in the end all members are at the mark, or none.
@Suite(.serialized) struct RestoreSetCrashSerial {
    private func prepared(_ body: (FleetFixture, _ mark: String) async throws -> Void) async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await Shop.make(in: scratch)
            for n in 1...3 {
                try await fleet.server("orders").query("insert into orders values (1, \(n))")
                try await fleet.server("payments").query("insert into payments values (1, \(n))")
            }
            let mark = try await fleet.json("mark", "create", "--set", "shop")["mark"]?["name"]?.string
            try await fleet.server("orders").query("insert into orders values (1, 4)")
            try await body(fleet, try #require(mark))
        }
    }

    private func counts(_ fleet: FleetFixture) async throws -> [String] {
        var counts: [String] = []
        for (name, table) in [("orders", "orders"), ("payments", "payments")] {
            counts.append(try await fleet.server(name).value("select count(*) from \(table)"))
        }
        return counts
    }

    /// Killed at the beginning of each step that is a set's own, and of some that each member has.
    @Test func killedInEveryStepItEndsAtTheMark() async throws {
        try await prepared { fleet, mark in
            var command = ["restore", "--set", "shop", "--target", "mark:\(mark)", "--yes", "--no-backup"]
            for step in [
                "stop orders", "restore the data of payments", "replay WAL of orders",
                "see that the members of shop agree",
                "promote payments", "finish what was prepared", "begin a new epoch", "see that orders archives",
            ] {
                let running = try await fleet.launch(command)
                #expect(try await running.reaches(step), "\(step): \(running.text)")
                await running.kill()
                command = ["runs", "resume", try await fleet.run()]
            }
            try await fleet.fleet(command).checked()
            #expect(try await counts(fleet) == ["3", "3"])
            #expect(try await fleet.runs("restore").count == 1)
            let next = try await fleet.json("mark", "create", "--set", "shop")["mark"]
            #expect((next?["epoch"]?.integer ?? 0) >= 1 && next?["state"]?.string == "archived")
        }
    }

    /// One member cannot be restored: the other one is not promoted without it, and both go on once it is mended, or both
    /// come back as they were.
    @Test(arguments: [true, false]) func aRepositoryThatFailsHoldsAllMembers(_ isMended: Bool) async throws {
        try await prepared { fleet, mark in
            let running = try await fleet.launch(
                "restore", "--set", "shop", "--target", "mark:\(mark)", "--yes", "--no-backup")
            #expect(try await running.reaches("stop orders"), "\(running.text)")
            let away = "\(fleet.repository).away"
            try FileManager.default.moveItem(atPath: fleet.repository, toPath: away)
            let code = await running.child.wait()
            #expect(code == 1, "\(running.text)")
            try FileManager.default.moveItem(atPath: away, toPath: fleet.repository)
            let run = try await fleet.run()
            if isMended {
                try await fleet.fleet("runs", "resume", run).checked()
                #expect(try await counts(fleet) == ["3", "3"])
            } else {
                try await fleet.fleet("runs", "abort", run, "--yes").checked()
                #expect(try await counts(fleet) == ["4", "3"])
            }
        }
    }
}
