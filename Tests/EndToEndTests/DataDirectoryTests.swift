import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// What people keep in a data directory, and where data directories and copies lie.
@Suite(.serialized) struct DataDirectorySerial {
    @Test func whatIsNotPostgreSQLsOwnSurvivesARestore() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 20)
            let target = try oracle.commits()[9].acknowledged
            // Made after the backup: a setting, a rule of pg_hba.conf, a folder, a key.
            try await server.query("alter system set work_mem = '7MB'")
            try server.configure(["maintenance_work_mem": "77MB"])
            let rules = "\(server.dataDirectory)/pg_hba.conf"
            let grown = try String(contentsOfFile: rules, encoding: .utf8) + "\n# ours\n"
            try grown.write(toFile: rules, atomically: false, encoding: .utf8)
            let folder = "\(server.dataDirectory)/keys"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try "secret".write(toFile: "\(folder)/server.key", atomically: false, encoding: .utf8)

            let restored = try await fleet.fleet("restore", "--instance", "orders", "--target", "\(target)", "--yes")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await oracle.violations(at: target).isEmpty)
            #expect(try await server.value("show work_mem") == "7MB")
            #expect(try await server.value("show maintenance_work_mem") == "77MB")
            #expect(try String(contentsOfFile: rules, encoding: .utf8) == grown)
            #expect(try String(contentsOfFile: "\(folder)/server.key", encoding: .utf8) == "secret")
        }
    }

    /// What the platform saw of a server that is not up, and of one that is up and does nothing, is in its status.
    @Test func whyAServerIsNotUpIsTold() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            try await server.crash()
            let dead = try await fleet.fleet("status")
            #expect(dead.text.contains("orders is stopped") && dead.text.contains("postmaster.pid was left behind"))
            try await server.start()
            server.freeze(true)
            defer { server.freeze(false) }
            let frozen = try await fleet.fleet("status")
            #expect(frozen.text.contains("is stopped by a signal and does nothing"), "\(frozen.text)")
        }
    }

    @Test func aDataDirectoryBehindALinkIsRestoredAndPutBack() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 20)
            let target = try oracle.commits()[9].acknowledged
            let link = scratch.path("link")
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: server.dataDirectory)
            try fleet.changeConfiguration { $0.replacingOccurrences(of: server.dataDirectory, with: link) }

            let restored = try await fleet.fleet("restore", "--instance", "orders", "--target", "\(target)", "--yes")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await oracle.violations(at: target).isEmpty)
            try await fleet.fleet("runs", "undo", fleet.run(), "--yes").checked()
            #expect(try await server.value("select count(*) from oracle") == "20")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == server.dataDirectory)
        }
    }

    @Test func aCopyGoesNowhereThatBelongsToSomethingElse() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            try await fleet.fleet("backup", "orders").checked()
            let full = try scratch.directory("full", owner: ServerOwner.current)
            try "mine".write(toFile: "\(full)/file", atomically: false, encoding: .utf8)
            for (place, why) in [
                ("\(server.dataDirectory)/copy", "PostgreSQL data directory"),
                ("\(fleet.repository)/copy", "repository local"), (full, "not empty"),
            ] {
                let refused = try await fleet.fleet(
                    "restore", "--instance", "orders", "--target", "latest", "--into", "copy=\(place)", "--yes")
                #expect(refused.exitCode == 3 && refused.errors.contains(why), "\(place): \(refused.errors)")
            }
            // A file system that has no room for directories is an error, not an endless search.
            let nowhere = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "latest", "--into", "copy=/proc/copy", "--yes")
            #expect(nowhere.exitCode == 1 && nowhere.errors.contains("/proc/copy"), "\(nowhere.errors)")
            #expect(server.status == "ready")
        }
    }

    @Test func aHoleInWALIsAProblemOfItsInstance() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await fleet.fleet("backups", "verify", "orders").checked()
            try await oracle.write(from: 1, count: 2)
            let lost = try await server.value("select pg_walfile_name(pg_switch_wal())")
            try await oracle.write(from: 3, count: 2)
            let end = try await server.value("select pg_walfile_name(pg_switch_wal())")
            try await waitUntil("\(end) is archived") {
                try await server.value("select last_archived_wal from pg_stat_archiver") == end
            }
            try fleet.removeWAL(lost)
            let verified = try await fleet.fleet("backups", "verify", "orders")
            let said = verified.text + verified.errors
            #expect(verified.exitCode == 1 && said.contains(lost), "\(said)")
            let status = try await fleet.json("status")
            let problems = status["instances"]?.array?.first?["problems"]?.array ?? []
            #expect(problems.contains { $0["cause"]?.string?.contains(lost) == true }, "\(problems)")
        }
    }
}

extension FleetFixture {
    /// Rewrites fleet.yaml.
    func changeConfiguration(_ change: (String) -> String) throws {
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        try change(text).write(toFile: configuration, atomically: false, encoding: .utf8)
    }
}
