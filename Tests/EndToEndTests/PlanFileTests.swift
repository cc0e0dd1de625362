import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// Kept plans, and what stands in the way of carrying them out.
@Suite(.serialized) struct PlanFileSerial {
    @Test func aKeptPlanIsCarriedOutOnlyWhileItsWorldIsAsItWas() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, applications: WritingApplication.declaration)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await WritingApplication.start(fleet)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 20)
            let target = try oracle.commits()[9].acknowledged
            let plan = scratch.path("plan.json")
            func keep() async throws {
                try await fleet.fleet(
                    "restore", "--instance", "orders", "--target", "\(target)", "--no-backup", "--plan-out", plan
                ).checked()
            }
            func expectDrift(_ words: String) async throws {
                let pid = server.pid
                let refused = try await fleet.fleet("apply", plan, "--yes")
                #expect(refused.exitCode == 3, "\(refused.errors)")
                #expect(refused.errors.contains(words), "\(words) is not in: \(refused.errors)")
                #expect(server.pid == pid)
            }
            try await keep()
            try await fleet.fleet("applications", "scale", "web", "1").checked()
            try await expectDrift("web is scaled to 1, not 2")
            try await fleet.fleet("applications", "scale", "web", "2").checked()

            let text = try String(contentsOfFile: fleet.configuration, encoding: .utf8)
            try (text + "\npolicies: {gold: {rpo: 5m}}\n").write(
                toFile: fleet.configuration, atomically: false, encoding: .utf8)
            try await expectDrift("fleet.yaml was changed")
            try text.write(toFile: fleet.configuration, atomically: false, encoding: .utf8)

            // A plan is what was made and looked at, not what somebody wrote into it since.
            let kept = try String(contentsOfFile: plan, encoding: .utf8)
            try kept.replacingOccurrences(of: "\"sessions\" : \"refuse\"", with: "\"sessions\" : \"terminate\"").write(
                toFile: plan, atomically: false, encoding: .utf8)
            try await expectDrift("was changed after the plan was made")
            try kept.write(toFile: plan, atomically: false, encoding: .utf8)

            // Without a terminal and without --yes nothing is done.
            let asked = try await fleet.fleet("apply", plan)
            #expect(asked.exitCode == 3, "\(asked.errors)")

            let applied = try await fleet.fleet("apply", plan, "--yes")
            #expect(applied.exitCode == 0, "\(applied.errors)")
            #expect(try await oracle.violations(at: target).isEmpty)
            // What it was made for is no more.
            try await expectDrift("timeline")
        }
    }

    @Test func aPlanWhoseBackupIsGoneIsRefused() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            try await fleet.fleet("backup", "orders").checked()
            try await server.query("create table rows (id integer)")
            let plan = scratch.path("plan.json")
            let time = try await server.value("select to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            try await fleet.fleet("restore", "--instance", "orders", "--target", time, "--plan-out", plan).checked()
            try await fleet.fleet("backup", "orders").checked()
            try await fleet.fleet("backups", "expire", "orders", "--keep-full", "1", "--yes").checked()
            let pid = server.pid
            let refused = try await fleet.fleet("apply", plan, "--yes")
            #expect(refused.exitCode == 3 && refused.errors.contains("is gone"), "\(refused.errors)")
            #expect(server.pid == pid)
        }
    }

    @Test func twoCoordinatorsNeverActOnOneInstance() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 20)
            let target = try oracle.commits()[9].acknowledged
            let plan = scratch.path("plan.json")
            try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "\(target)", "--no-backup", "--plan-out", plan
            ).checked()
            let first = try await fleet.launch("apply", plan, "--yes")
            #expect(try await first.reaches("archive all that orders"), "\(first.text)")
            let run = try await fleet.run()
            // The same run, another run of the same plan, a backup, an undo: each is turned away.
            for command in [["runs", "resume", run], ["apply", plan, "--yes"], ["runs", "undo", run, "--yes"]] {
                let second = try await fleet.fleet(command)
                #expect(second.exitCode == 3, "\(command): \(second.errors)\(second.text)")
            }
            #expect(await first.child.wait() == 0, "\(first.text)")
            #expect(try await oracle.violations(at: target).isEmpty)
        }
    }
}
