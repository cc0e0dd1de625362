import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

@Suite(.serialized) struct RestoreSerial {
    @Test(arguments: FleetFixture.Engine.allCases + [.rendered])
    func everyAcknowledgedCommitUpToTheTargetIsThereAndNoneAfter(_ engine: FleetFixture.Engine) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: engine)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await oracle.write(from: 1, count: 50)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 51, count: 200)
            let commits = try oracle.commits()
            let target = commits[commits.count - 60].acknowledged
            let restored = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await oracle.violations(at: target).isEmpty)
            #expect(try await server.value("select pg_is_in_recovery()") == "f")
            #expect(try await server.value("select timeline_id from pg_control_checkpoint()") == "2")
            // Undo brings back the last commit before the restore as well.
            let runs = try await fleet.json("runs", "list")
            let run = try #require(runs["runs"]?.array?.first { $0["kind"]?.string == "restore" }?["id"]?.string)
            try await fleet.fleet("runs", "undo", run, "--yes").checked()
            #expect(try await server.value("select count(*) from oracle") == "250")
        }
    }

    @Test func aRepositoryThatIsYoungerThanTheTimelineCanBeRestoredFrom() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 20)
            let first = try oracle.commits()[9].acknowledged
            try await fleet.fleet("restore", "--instance", "orders", "--target", "\(first)", "--yes", "--no-backup")
                .checked()
            _ = try scratch.directory("second", owner: ServerOwner.current)
            try fleet.changeConfiguration {
                $0.replacingOccurrences(
                    of: "\n  local:", with: "\n  second: {storage: {plugin: directory, path: second}}\n  local:"
                ).replacingOccurrences(of: "repositories: [local]", with: "repositories: [second]")
            }
            try await fleet.fleet("instances", "archiving", "orders").checked()
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 101, count: 20)
            let commits = try oracle.commits()
            let second = commits[commits.count - 11].acknowledged
            let result = try await fleet.fleet("restore", "--instance", "orders", "--target", "\(second)", "--yes")
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(try await server.value("select count(*) from oracle where id > 100") == "10")
        }
    }

    /// The newest backup begins where the timeline that the restore makes has not come yet.
    @Test func anUndoFindsItsWayFromBeforeTheNewestBackup() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 20)
            let target = try oracle.commits()[9].acknowledged
            for _ in 0..<6 {
                try await server.query("create table if not exists filler (t text); select pg_switch_wal()")
                try await server.query("insert into filler values ('x')")
            }
            try await fleet.fleet("backup", "orders").checked()
            try await fleet.fleet("restore", "--instance", "orders", "--target", "\(target)", "--yes").checked()
            #expect(try await oracle.violations(at: target).isEmpty)
            let undone = try await fleet.fleet("runs", "undo", fleet.run(), "--yes")
            #expect(undone.exitCode == 0, "\(undone.errors)")
            #expect(try await server.value("select count(*) from oracle") == "20")
        }
    }

    @Test(arguments: FleetFixture.Engine.allCases)
    func threeRestoresInARowFindTheirWayThroughTheTimelines(_ engine: FleetFixture.Engine) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: engine)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 120)
            for kept in [100, 80, 40] {
                let target = try oracle.commits()[kept - 1].acknowledged
                let result = try await fleet.fleet(
                    "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup")
                #expect(result.exitCode == 0, "\(result.errors)")
                #expect(try await oracle.violations(at: target).isEmpty)
            }
            // Not pg_control's: the checkpoint after a promotion takes its time.
            let segment = try await server.value("select pg_walfile_name(pg_current_wal_insert_lsn())")
            #expect(segment.hasPrefix("00000004"))
        }
    }
}
