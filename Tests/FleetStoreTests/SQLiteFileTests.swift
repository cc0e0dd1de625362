import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import GRDB
import Glibc
import Testing

@testable import FleetStore

@Suite struct SQLiteFileTests {
    @Test func makesAPrivateFileInAPrivateFolder() async throws {
        try await withScratch { scratch in
            let path = scratch.path("a/b/state.db")
            let store = try await SQLiteStore.open(path: path)
            try await store.createRun(.sample("r-1"), steps: [])
            #expect(mode(scratch.path("a")) == 0o700)
            #expect(mode(scratch.path("a/b")) == 0o700)
            for file in [path, path + "-wal", path + "-shm"] { #expect(mode(file) == 0o600) }
            try await store.close()
        }
    }

    @Test func writesThroughToTheDisk() async throws {
        try await withStore(.sqlite) { fixture in
            let store = try #require(fixture.store as? SQLiteStore)
            let pragmas = try await store.pool.writeWithoutTransaction { db in
                try ["journal_mode", "synchronous", "foreign_keys"].map { pragma in
                    try String.fetchOne(db, sql: "PRAGMA \(pragma)")
                }
            }
            #expect(pragmas == ["wal", "2", "1"])
        }
    }

    @Test func leavesTheDatabaseOfAnotherProgramAlone() async throws {
        try await withScratch { scratch in
            let path = scratch.path("other.db")
            let other = try DatabaseQueue(path: path)
            try await other.write { try $0.execute(sql: "CREATE TABLE bookmarks (url TEXT)") }
            try other.close()
            let before = FileManager.default.contents(atPath: path)
            let error = await fleetError { _ = try await SQLiteStore.open(path: path) }
            #expect(error?.code == .refused)
            #expect(error?.cause?.contains("bookmarks") == true)
            #expect(FileManager.default.contents(atPath: path) == before)
        }
    }

    @Test func saysThatATextFileIsNoDatabase() async throws {
        try await withScratch { scratch in
            let text = String(repeating: "not a database\n", count: 1000)
            let path = try scratch.write(text, to: "notes.txt")
            let error = await fleetError { _ = try await SQLiteStore.open(path: path) }
            #expect(error?.code == .corrupted)
            #expect(error?.message.contains(path) == true)
            #expect(FileManager.default.contents(atPath: path) == Data(text.utf8))
        }
    }

    @Test func refusesTheSchemaOfANewerFleet() async throws {
        try await withScratch { scratch in
            let path = scratch.path("state.db")
            let store = try await SQLiteStore.open(path: path)
            try await store.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('0042-future')") }
            try await store.close()
            let error = await fleetError { _ = try await SQLiteStore.open(path: path) }
            #expect(error?.code == .unsupported)
            #expect(error?.cause?.contains("schema 42") == true)
        }
    }

    @Test func saysThatTheFileIsDamaged() async throws {
        try await withScratch { scratch in
            let path = scratch.path("state.db")
            let store = try await SQLiteStore.open(path: path)
            for number in 0..<200 {
                try await store.saveObservation(
                    subject: "instance/\(number)", value: .string(String(repeating: "x", count: 500)),
                    at: Timestamp(microseconds: 0))
            }
            try await store.close()
            // Everything after the first page, which holds the schema's root.
            var bytes = try #require(FileManager.default.contents(atPath: path))
            bytes.replaceSubrange(4096..., with: Data(repeating: 0xA5, count: bytes.count - 4096))
            try bytes.write(to: URL(filePath: path))
            let error = await fleetError {
                let store = try await SQLiteStore.open(path: path)
                _ = try await store.observations(prefix: "")
            }
            #expect(error?.code == .corrupted)
            #expect(error?.hint?.isEmpty == false)
        }
    }

    @Test func saysThatTheDiskIsFullAndGoesOnWhenThereIsRoom() async throws {
        try await withStore(.sqlite) { fixture in
            let store = try #require(fixture.store as? SQLiteStore)
            try await fixture.createRun("r-1")
            let limit = { @Sendable (pages: Int) in
                try await store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages)") }
            }
            try await limit(1)
            let error = await fleetError {
                try await store.setAttribute(
                    run: "r-1", key: "k", value: .string(String(repeating: "x", count: 100_000)), lease: nil)
            }
            #expect(error?.code == .exhausted)
            #expect(try await store.run("r-1")?.attributes.isEmpty == true)
            try await limit(1_000_000)
            try await store.setAttribute(run: "r-1", key: "k", value: 1, lease: nil)
        }
    }

    // /proc and /sys refuse even root.
    @Test(arguments: ["/proc/fleet/state.db", "/sys/fleet-state.db"])
    func saysThatItMayNotWriteThere(_ path: String) async throws {
        let error = await fleetError { _ = try await SQLiteStore.open(path: path) }
        #expect(error?.message.contains(path) == true)
        #expect(error?.hint?.isEmpty == false)
    }

    @Test func namesTheFileWhenItIsAFolder() async throws {
        try await withScratch { scratch in
            let path = try scratch.directory("state.db")
            let error = await fleetError { _ = try await SQLiteStore.open(path: path) }
            #expect(error?.code == .denied)
            #expect(error?.message.contains(path) == true)
        }
    }

    /// A value that only a hand or a newer fleet can have written costs its own call, and no crash.
    @Test func survivesValuesItDoesNotUnderstand() async throws {
        try await withStore(.sqlite) { fixture in
            let store = try #require(fixture.store as? SQLiteStore)
            for id in ["r-1", "r-2", "r-3", "r-4"] { try await fixture.createRun(id) }
            try await store.write { db in
                try db.execute(sql: "UPDATE runs SET state = 'dreaming' WHERE id = 'r-1'")
                try db.execute(sql: "UPDATE runs SET attributes = '{' WHERE id = 'r-2'")
                try db.execute(sql: "UPDATE runs SET created_at = 'today' WHERE id = 'r-3'")
            }
            for id in ["r-1", "r-2", "r-3"] {
                let error = await fleetError { _ = try await store.run(id) }
                #expect(error?.code == .corrupted)
            }
            #expect(try await store.run("r-4") != nil)
        }
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }
}
