import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// What cannot work is refused with exit status 3, the nearest target named, before anything is stopped.
@Suite(.serialized) struct RefusalSerial {
    private func expectRefusal(
        _ fleet: FleetFixture, _ target: String, _ words: String..., more: [String] = []
    ) async throws {
        let server = try fleet.server()
        let pid = server.pid
        let result = try await fleet.fleet(
            ["restore", "--instance", "orders", "--target", target, "--yes"] + more)
        #expect(result.exitCode == 3, "\(target): \(result.errors)\(result.text)")
        for word in words { #expect(result.errors.contains(word), "\(target): \(word) is not in: \(result.errors)") }
        #expect(server.pid == pid && server.status == "ready")
        #expect(try await fleet.runs("restore").isEmpty)
    }

    @Test func whatCannotBeReachedIsRefusedBeforeAnythingIsStopped() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            // There is no repository yet, which nobody can tell from one that is not mounted.
            let none = try await fleet.fleet("restore", "--instance", "orders", "--target", "latest", "--yes")
            #expect(none.exitCode == 1 && none.errors.contains("full backup"), "\(none.errors)")
            try await fleet.fleet("backup", "orders").checked()
            try await expectRefusal(
                fleet, "2020-01-01T00:00:00Z", "before the backup", "the nearest targets that work: ")
            try await expectRefusal(fleet, "2100-01-01T00:00:00Z", "in the future", "latest")
            try await expectRefusal(fleet, "lsn:0/1000000", "before the backup", "the nearest targets that work: lsn:")
            try await expectRefusal(fleet, "lsn:F/0", "after the end of known WAL", "latest")
            try await expectRefusal(fleet, "xid:4000000000", "does not end on timeline 1")
            try await expectRefusal(fleet, "name:nowhere", "there is no restore point nowhere")
            try await expectRefusal(fleet, "latest", "timeline 7", more: ["--timeline", "7"])
            let usage = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "2025-12-18 10:30", "--yes")
            #expect(usage.exitCode == 2)

            // A segment goes missing from the repository: what lies behind it cannot be reached any more.
            try await oracle.write(from: 1, count: 3)
            let lost = try await server.value("select pg_walfile_name(pg_switch_wal())")
            try await oracle.write(from: 4, count: 3)
            let end = try await server.value("select pg_walfile_name(pg_switch_wal())")
            try await waitUntil("\(end) is archived") {
                try await server.value("select last_archived_wal from pg_stat_archiver") == end
            }
            let commits = try oracle.commits()
            try fleet.removeWAL(lost)
            try await expectRefusal(fleet, "\(commits[4].acknowledged)", lost, "the nearest targets that work: ")
            try await expectRefusal(fleet, "latest", lost)
            let windows = try await fleet.fleet("window", "orders").checked()
            #expect(windows.text.contains(lost), "\(windows.text)")
        }
    }

    @Test func whoIsStillConnectedMakesTheRunTurnBack() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, applications: WritingApplication.declaration)
            let server = try fleet.server()
            try await WritingApplication.start(fleet)
            try await fleet.fleet("backup", "orders").checked()
            let stranger = try await ChildProcess.start([
                server.installation.program("psql"), "-Xq", "-h", server.socketDirectory, "-p", "\(server.port)", "-U",
                "postgres", "-c", "select pg_sleep(300)", "postgres",
            ])
            let pid = server.pid
            let refused = try await fleet.fleet("restore", "--instance", "orders", "--target", "latest", "--yes")
            #expect(refused.exitCode == 3, "\(refused.errors)\(refused.text)")
            #expect(refused.errors.contains("still connected"))
            #expect(server.pid == pid && stranger.isRunning)
            #expect(try await fleet.scale() == "2/2/2")
            let done = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", "latest", "--yes", "--sessions", "terminate",
                "--no-backup")
            #expect(done.exitCode == 0, "\(done.errors)\(done.text)")
            #expect(!stranger.isRunning)
            #expect(try await fleet.scale() == "2/2/2")
        }
    }
}

extension FleetFixture {
    /// Removes an archived segment from the repository.
    func removeWAL(_ name: String) throws {
        let files = FileManager.default
        let found = (files.enumerator(atPath: repository)?.compactMap { $0 as? String } ?? [])
            .filter { $0.split(separator: "/").last?.hasPrefix(name) == true }
        guard !found.isEmpty else { throw FixtureError("the repository holds no \(name)") }
        for file in found { try files.removeItem(atPath: "\(repository)/\(file)") }
    }
}
