import DirectoryStorage
import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import NativeEngine

/// The whole path with a real server: back up, archive, restore, start.
@Suite(.serialized) struct BackupSerialTests {
    @Test func aBackupIsRestoredToThePointInTime() async throws {
        try await withScratch { (place) async throws in
            let storage = try DirectoryStorage(name: "local", root: place.path("repository"))
            try await ArchivedServer.with(storage) { (archived) async throws in
                let server = archived.server
                let fast = try archived.scratch.directory("fast", owner: server.installation.owner)
                try await server.query("create tablespace fast location '\(fast)'")
                try await server.query(
                    """
                    create table orders as select g id, repeat('x', g % 300) note from generate_series(1, 20000) g;
                    create table items tablespace fast as select g id from generate_series(1, 5000) g;
                    create unlogged table scratchpad as select 1;
                    create table empty ();
                    """)
                let backup = try await archived.backup()
                #expect(backup.tablespaces.map(\.path) == [fast])
                #expect(backup.size > 20_000_000 && backup.storedSize < backup.size / 2)
                #expect(archived.agent.events.contains { if case .progress = $0 { true } else { false } })
                try await server.query("insert into orders values (20001, 'kept')")
                try await Task.sleep(for: .milliseconds(20))
                let time = try await server.value("select clock_timestamp()")
                try await Task.sleep(for: .milliseconds(20))
                try await server.query("delete from orders")
                try await server.query("drop table items")
                try await archived.archiveAll()

                let target = try #require(Timestamp(rfc3339: time.replacing(" ", with: "T") + ":00"))
                let directory = try archived.place("restored")
                let moved = try archived.scratch.directory("moved", owner: server.installation.owner) + "/fast"
                let report = try await archived.restore(
                    backup, to: directory, stop: .time(target), tablespaces: [fast: moved])
                #expect(report.written > 0 && report.settings.contains("recovery_target_time"))
                try await server.installation.run("pg_verifybackup", ["-n", directory]).checked()
                let identifier = try await server.installation.run("pg_controldata", [directory]).checked().text
                #expect(identifier.contains(backup.systemIdentifier.description))
                try await archived.boot(directory) { (restored) async throws in
                    #expect(try await restored.value("select count(*) from orders") == "20001")
                    #expect(try await restored.value("select count(*) from items") == "5000")
                    #expect(
                        try await restored.value(
                            "select pg_tablespace_location(oid) from pg_tablespace where spcname = 'fast'") == moved)
                    #expect(try await restored.value("select pg_get_wal_replay_pause_state()") == "paused")
                    #expect(try await restored.value("show archive_mode") == "off")
                    try await restored.query("select pg_wal_replay_resume()")
                    try await waitUntil("it is promoted") {
                        try await restored.value("select pg_is_in_recovery()") == "f"
                    }
                    #expect(try await restored.value("select count(*) from scratchpad") == "0")
                }
                #expect(try await archived.verify().findings.isEmpty)
            }
        }
    }

    /// From 13 on: both grammars of BASE_BACKUP, both versions of the manifest.
    @Test(arguments: PostgresInstallation.testedMajors)
    func everyVersionIsBackedUpAndRestored(_ major: Int) async throws {
        try await ArchivedServer.with(MemoryStorage(), major: major) { (archived) async throws in
            let server = archived.server
            let fast = try archived.scratch.directory("fast", owner: server.installation.owner)
            try await server.query("create tablespace fast location '\(fast)'")
            try await server.query("create table t tablespace fast as select generate_series(1, 3000) i")
            let backup = try await archived.backup()
            #expect(backup.serverVersion / 10_000 == major)
            try await server.query("insert into t values (0)")
            try await server.query("select pg_create_restore_point('here')")
            try await server.query("delete from t")
            try await archived.archiveAll()
            #expect(try await archived.verify().findings.isEmpty)
            let catalog = try await archived.catalog()
            #expect(catalog.problems.isEmpty && catalog.segments.contains { $0.summary?.restorePoints.count == 1 })
            let directory = try archived.place("restored")
            let moved = archived.scratch.path("moved")
            try await archived.restore(backup, to: directory, stop: .name("here"), tablespaces: [fast: moved])
            // The build of 18 that is fetched has a pg_verifybackup that crashes whatever it is asked.
            if try await server.installation.run("pg_verifybackup", ["--version"]).exitCode == 0 {
                try await server.installation.run("pg_verifybackup", ["-n", directory]).checked()
            }
            try await archived.boot(directory) { (restored) async throws in
                try await waitUntil("recovery is paused") {
                    try await restored.value("select pg_is_wal_replay_paused()") == "t"
                }
                #expect(try await restored.value("select count(*) from t") == "3001")
            }
        }
    }
}
