import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// Restores beside a running server, of a stopped one, and of one that is gone.
@Suite(.serialized) struct PlaceSerial {
    @Test(arguments: FleetFixture.Engine.allCases)
    func aCopyBesideLeavesItsSourceAlone(_ engine: FleetFixture.Engine) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(
                in: scratch, engine: engine, applications: WritingApplication.declaration)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await WritingApplication.start(fleet)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 60)
            let target = try oracle.commits()[29].acknowledged
            let pid = server.pid
            let place = scratch.path("copy")
            let made = try await fleet.json(
                "restore", "--instance", "orders", "--target", "\(target)", "--into", "copy=\(place)", "--yes")
            let endpoint = made["endpoints"]?.array?.first
            let host = try #require(endpoint?["host"]?.string)
            let port = try #require(endpoint?["port"]?.integer)
            func ask(_ sql: String) async throws -> String {
                let answer = try await server.installation.run(
                    "psql", ["-XAtq", "-h", host, "-p", "\(port)", "-U", "postgres", "-c", sql, "postgres"]
                ).checked().text
                return String(answer.dropLast())
            }
            let there = Set(try await ask("select id from oracle").split(separator: "\n").compactMap { Int($0) })
            for commit in try oracle.commits() {
                if commit.acknowledged <= target { #expect(there.contains(commit.id)) }
                if commit.sent > target { #expect(!there.contains(commit.id)) }
            }
            #expect(try await ask("show archive_mode") == "off")
            #expect(try await ask("select pg_is_in_recovery()") == "f")
            #expect(try await ask("show data_directory").hasPrefix(place + "/"))
            #expect(server.pid == pid && server.status == "ready")
            #expect(try await server.value("select count(*) from oracle") == "60")
            #expect(try await fleet.scale() == "2/2/2")
            // It writes, and nothing of that comes into the archive of its source.
            _ = try await ask("create table scratch as select generate_series(1, 1000)")
            _ = try await ask("select pg_switch_wal()")
            try await server.installation.run(
                "pg_amcheck", ["-h", host, "-p", "\(port)", "-U", "postgres", "--install-missing", "postgres"]
            ).checked()
            let windows = try await fleet.fleet("-o", "json", "window", "orders").checked()
            #expect(!windows.text.contains("\"timeline\" : 2"), "\(windows.text)")

            try await fleet.fleet("runs", "undo", fleet.run("restoreInto"), "--yes").checked()
            #expect(!FileManager.default.fileExists(atPath: place))
            #expect(server.pid == pid)
            #expect(fleet.leftovers() == [])
        }
    }

    @Test(arguments: FleetFixture.Engine.allCases)
    func aStoppedServerIsKeptBesideAndComesBack(_ engine: FleetFixture.Engine) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: engine)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 40)
            let target = try oracle.commits()[19].acknowledged
            try await server.stop()
            let restore = ["restore", "--instance", "orders", "--target", "\(target)", "--yes", "--no-backup"]
            try await fleet.fleet(restore).checked()
            #expect(try await oracle.violations(at: target).isEmpty)
            let first = try await fleet.run()
            try await fleet.fleet("runs", "undo", first, "--yes").checked()
            #expect(try await server.value("select count(*) from oracle") == "40")
            #expect(try await fleet.timeline() == 1)

            // Once more, and its way back is given up.
            try await server.stop()
            try await fleet.fleet(restore).checked()
            let second = try await fleet.run()
            let parent = URL(fileURLWithPath: server.dataDirectory).deletingLastPathComponent().path
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent).count == 2)
            try await fleet.fleet("runs", "discard", second, "--yes").checked()
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == ["orders"])
            #expect(try await fleet.fleet("runs", "undo", second, "--yes").exitCode == 3)
            #expect(try await oracle.violations(at: target).isEmpty)
            #expect(fleet.leftovers() == [])
        }
    }

    @Test(arguments: FleetFixture.Engine.allCases)
    func whatIsGoneComesBackWholeBySeveralWitnesses(_ engine: FleetFixture.Engine) async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: engine)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await oracle.write(from: 1, count: 20)
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 21, count: 40)
            let system = try await server.controlData("Database system identifier")
            try await server.stop()
            try FileManager.default.removeItem(atPath: server.dataDirectory)
            let result = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "latest", "--yes", "--no-backup")
            #expect(result.exitCode == 0, "\(result.errors)\(result.text)")
            #expect(try await server.value("select count(*) from oracle") == "60")
            #expect(try await fleet.fleet("runs", "undo", fleet.run(), "--yes").exitCode == 3)
            try await server.run("pg_amcheck", ["--install-missing", "--all"], connects: true).checked()
            #expect(try await server.controlData("Database system identifier") == system)
            #expect(try await fleet.timeline() == 2)
            try await server.stop()
            try await server.run("pg_checksums", ["--check", "-D", server.dataDirectory]).checked()
            #expect(try await server.controlData("Database cluster state") == "shut down")
        }
    }
}
