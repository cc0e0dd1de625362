import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// Repositories that are away, damaged or full.
@Suite(.serialized) struct RepositoryFaultSerial {
    @Test func aRepositoryThatDisappearsStopsRecoveryAndDoesNotEndIt() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let target = try await fleet.momentBeforeADisaster(filler: 6)
            let away = "\(fleet.repository).away"
            let signal = "\(server.dataDirectory)/recovery.signal"
            let thief = Task.detached {
                try await waitUntil("recovery is asked for", deadline: .seconds(60)) {
                    FileManager.default.fileExists(atPath: signal)
                }
                try FileManager.default.moveItem(atPath: fleet.repository, toPath: away)
            }
            let failed = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup")
            try await thief.value
            #expect(failed.exitCode == 1)
            #expect((failed.errors + failed.text).contains("fleet runs resume"), "\(failed.errors)\(failed.text)")
            #expect(!server.isRunning)
            #expect(FileManager.default.fileExists(atPath: signal), "it was promoted")
            #expect(try await fleet.status(of: "orders")["backups"] == nil, "unknown is not none")
            try FileManager.default.moveItem(atPath: away, toPath: fleet.repository)
            let resumed = try await fleet.fleet("runs", "resume", try await fleet.lastRun())
            #expect(resumed.exitCode == 0, "\(resumed.errors)")
            #expect(try await server.value("select count(*) from kept") == "500")
        }
    }

    @Test(arguments: ["flip", "truncate", "delete"]) func damageIsNamedAndNothingElseSuffers(_ kind: String)
        async throws
    {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, instances: ["billing", "orders"])
            try await fleet.fleet("backup", "orders", "billing").checked()
            let pack = try #require(fleet.objects("instances/orders/packs/").first)
            let path = "\(fleet.repository)/\(pack)"
            switch kind {
            case "flip": try flipBits(path)
            case "truncate": #expect(truncate(path, 1000) == 0)
            default: try FileManager.default.removeItem(atPath: path)
            }
            let verified = try await fleet.fleet("-o", "json", "backups", "verify", "orders")
            #expect(verified.exitCode == 1)
            #expect(verified.text.contains(pack))
            #expect(try await fleet.fleet("backups", "verify", "billing").exitCode == 0)
            let server = try fleet.server()
            let restored = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "latest", "--into", "copy", "--yes")
            #expect([1, 3].contains(restored.exitCode), "\(restored.errors)")
            #expect(restored.errors.contains("damaged") || restored.errors.contains("missing"), "\(restored.errors)")
            #expect(try await server.value("select pg_is_in_recovery()") == "f")
            if try await fleet.json("runs", "list")["runs"]?.array?.first?["kind"]?.string == "restoreInto" {
                try await fleet.fleet("runs", "abort", try await fleet.lastRun(), "--yes").checked()
            }
            // A new backup is sound again.
            try await fleet.fleet("backup", "orders").checked()
            let again = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "latest", "--into", "copy2", "--yes")
            #expect(again.exitCode == 0, "\(again.errors)")
            try await fleet.fleet("runs", "undo", try await fleet.lastRun(), "--yes").checked()
        }
    }

    @Test func damageInTheNeededBackupIsFoundBeforePromotionAndPutBack() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let target = try await fleet.momentBeforeADisaster()
            let pack = try #require(fleet.objects("instances/orders/packs/").first)
            let path = "\(fleet.repository)/\(pack)"
            let sound = try Data(contentsOf: URL(fileURLWithPath: path))
            // Every file differs, so that every chunk is read.
            let failed = try await {
                try flipBits(path)
                try await server.query("vacuum full")
                return try await fleet.fleet(
                    "restore", "--instance", "orders", "--target", "\(target)", "--yes", "--way-back", "set-aside")
            }()
            #expect([1, 3].contains(failed.exitCode), "\(failed.errors)")
            #expect(failed.errors.contains("damaged"), "\(failed.errors)")
            let run = try await fleet.lastRun()
            if try await fleet.state(of: run) == "interrupted" {
                try await fleet.fleet("runs", "abort", run, "--yes").checked()
            }
            #expect(try await server.value("select count(*) from kept") == "0")
            try sound.write(to: URL(fileURLWithPath: path))
            try await fleet.fleet("backups", "verify", "orders").checked()
        }
    }

    @Test func aFullRepositoryHoldsUpArchivingAndLosesNothing() async throws {
        try await withScratch { scratch in
            guard geteuid() == 0 else { return }
            try scratch.directory("repository", owner: ServerOwner.current)
            try await runTool(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", scratch.path("repository")]).checked()
            let mounted = scratch.path("repository")
            scratch.onCleanUp { _ = try? await runTool(["umount", "-l", mounted]) }
            try ServerOwner.current.own(mounted)
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            try await fleet.fleet("backup", "orders").checked()
            let filler = "\(mounted)/filler"
            _ = try? await runTool(["dd", "if=/dev/zero", "of=\(filler)", "bs=1M"])
            try await server.query("create table kept as select md5(i::text) from generate_series(1, 20000) i")
            let segment = try await server.value("select pg_walfile_name(pg_switch_wal())")
            try await waitUntil("archiving fails") {
                try await server.value("select failed_count > 0 from pg_stat_archiver") == "t"
            }
            #expect(
                server.log().contains("No space left") || server.log().contains("no space"),
                "\(server.log().suffix(1500))")
            let status = try await fleet.status(of: "orders")
            #expect(status["archiving"]?["isFailing"] == .bool(true))
            let refused = try await fleet.fleet("restore", "--instance", "orders", "--target", "latest", "--yes")
            #expect(refused.exitCode == 3)
            #expect(refused.errors.contains("archiv"))
            #expect(server.isRunning)
            try FileManager.default.removeItem(atPath: filler)
            try await waitUntil("archiving has caught up", deadline: .seconds(90)) {
                try await server.value("select last_archived_wal >= '\(segment)' from pg_stat_archiver") == "t"
            }
            try await fleet.fleet("backups", "verify", "orders").checked()
        }
    }

    @Test func aFullDestinationFailsTheRestoreAndLeavesTheSourceAlone() async throws {
        try await withScratch { scratch in
            guard geteuid() == 0 else { return }
            let fleet = try await FleetFixture.make(in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            let small = try scratch.directory("small", owner: ServerOwner.current)
            try await runTool(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small]).checked()
            scratch.onCleanUp { _ = try? await runTool(["umount", "-l", small]) }
            try ServerOwner.current.own(small)
            let failed = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "latest", "--into", "copy=\(small)/copy", "--yes")
            #expect([1, 3].contains(failed.exitCode))
            #expect(failed.errors.lowercased().contains("space"), "\(failed.errors)")
            #expect(try await fleet.server().value("select 1") == "1")
            let run = try await fleet.json("runs", "list")["runs"]?.array?.first
            if run?["kind"]?.string == "restoreInto" {
                try await fleet.fleet("runs", "abort", try await fleet.lastRun(), "--yes").checked()
            }
        }
    }
}
