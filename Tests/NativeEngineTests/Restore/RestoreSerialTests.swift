import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc
import Testing

@testable import NativeEngine

@Suite(.serialized) struct RestoreSerialTests {
    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private static func verify(_ directory: String, _ server: PostgresServer) async throws {
        try await server.installation.run("pg_verifybackup", ["-n", directory]).checked()
    }

    @Test func aDeltaRestoreWritesOnlyWhatDiffersAndLeavesNothingStale() async throws {
        try await ArchivedServer.with(MemoryStorage()) { (archived) async throws in
            let server = archived.server
            let fast = try archived.scratch.directory("fast", owner: server.installation.owner)
            try await server.query("create tablespace fast location '\(fast)'")
            try await server.query("create table s tablespace fast as select g from generate_series(1, 5000) g")
            let moved = archived.scratch.path("moved")
            try await server.query("create table t as select g, repeat('y', 100) from generate_series(1, 50000) g")
            let inTablespace = try await server.value("select pg_relation_filepath('s')")
            let path = try await server.value("select pg_relation_filepath('t')")
            let backup = try await archived.backup()
            let directory = try archived.place("restored")
            let first = try await archived.restore(backup, to: directory, tablespaces: [fast: moved])
            #expect(first.written >= first.size - 16_384)

            let table = try FileHandleForDamage("\(directory)/\(path)")
            table.flip(at: 300_000)
            try FileHandleForDamage("\(directory)/base/1/1259").cut(to: 8192)
            try FileHandleForDamage("\(directory)/\(inTablespace)").flip(at: 100)
            unlink("\(directory)/base/1/1247")
            let wal = archived.scratch.path("wal")
            #expect(rename("\(directory)/pg_wal", wal) == 0 && symlink(wal, "\(directory)/pg_wal") == 0)
            for stale in ["base/1/99999", "pg_wal/000000090000000000000001", "standby.signal", "pg_replslot/old"] {
                try "stale".write(toFile: "\(directory)/\(stale)", atomically: false, encoding: .utf8)
            }
            symlink("/etc", "\(directory)/pg_tblspc/99999")
            let second = try await archived.restore(backup, to: directory, mode: .delta, tablespaces: [fast: moved])
            #expect(second.written < 1_000_000 && second.written > 0)
            #expect(second.removed >= 5)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/pg_wal") == wal)
            for stale in ["base/1/99999", "pg_wal/000000090000000000000001", "standby.signal", "pg_replslot/old"] {
                #expect(!Self.exists("\(directory)/\(stale)"), "\(stale)")
            }
            #expect(Self.exists("/etc/passwd") && access("\(directory)/pg_tblspc/99999", F_OK) != 0)
            try await Self.verify(directory, server)
            try await archived.boot(directory) { (restored) async throws in
                #expect(try await restored.value("select count(*) from t") == "50000")
                #expect(try await restored.value("select count(*) from s") == "5000")
            }
        }
    }

    @Test func anInterruptedRestoreCannotBeStartedAndCanBeRepeated() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage) { (archived) async throws in
            try await archived.server.query("create table t as select g from generate_series(1, 50000) g")
            let backup = try await archived.backup()
            try await archived.archiveAll()
            let directory = try archived.place("restored")
            _ = try await archived.restore(backup, to: directory)
            var reads = 1
            var interruptions = 0
            while true {
                // The archive is exported first; those reads are free.
                let result = await Result {
                    try await archived.restore(backup, to: directory, mode: .delta) { storage.breakAfter(reads: reads) }
                }
                storage.breakAfter(reads: nil)
                if case .success = result { break }
                interruptions += 1
                reads += 1
                if Self.exists("\(directory)/fleet-restore.json") {
                    #expect(!Self.exists("\(directory)/global/pg_control"))
                }
                // The next one has all to write again.
                try FileHandleForDamage("\(directory)/base/1/1259").cut(to: 0)
            }
            #expect(interruptions >= 4)
            #expect(!Self.exists("\(directory)/fleet-restore.json"))
            try await Self.verify(directory, archived.server)
        }
    }

    @Test func foreignRunningAndFullDirectoriesAreRefused() async throws {
        try await ArchivedServer.with(MemoryStorage()) { (archived) async throws in
            let backup = try await archived.backup()
            func refusal(_ directory: String, _ mode: RestoreRequest.Mode) async -> FleetError? {
                await #expect(throws: FleetError.self) { try await archived.restore(backup, to: directory, mode: mode) }
            }
            #expect(await refusal(archived.server.dataDirectory, .delta)?.message.contains("runs") == true)
            #expect(try await archived.server.value("select 1") == "1")

            let other = try await PostgresServer.create(
                in: archived.scratch, name: "other", .init(ownSystemIdentifier: true, starts: false))
            #expect(await refusal(other.dataDirectory, .delta)?.code == .refused)
            #expect(Self.exists("\(other.dataDirectory)/global/pg_control"))
            #expect(await refusal(other.dataDirectory, .empty)?.code == .refused)

            let full = try archived.scratch.directory("full")
            try archived.scratch.write("mine", to: "full/notes.txt")
            #expect(await refusal(full, .delta)?.code == .refused)
            #expect(Self.exists("\(full)/notes.txt") && !Self.exists("\(full)/fleet-restore.json"))
            #expect(await refusal("relative", .empty)?.code == .usage)
        }
    }

    @Test func aTablespaceInUseElsewhereIsRefused() async throws {
        try await ArchivedServer.with(MemoryStorage()) { (archived) async throws in
            let fast = try archived.scratch.directory("fast", owner: archived.server.installation.owner)
            try await archived.server.query("create tablespace fast location '\(fast)'")
            try await archived.server.query("create table t tablespace fast as select 1 as one")
            let backup = try await archived.backup()
            let directory = try archived.place("restored")
            let error = await #expect(throws: FleetError.self) { try await archived.restore(backup, to: directory) }
            #expect(error?.code == .refused && error?.message.contains(fast) == true)
            #expect(try await archived.server.value("select one from t") == "1")
            #expect(!Self.exists(directory))
        }
    }

    /// Replay to the end of the archive: a standby that waits to be promoted. A backup of it is refused.
    @Test func theEndOfWALIsReachedAsAStandby() async throws {
        try await ArchivedServer.with(MemoryStorage()) { (archived) async throws in
            try await archived.server.query("create table t (i int)")
            let backup = try await archived.backup()
            try await archived.server.query("insert into t select generate_series(1, 1000)")
            try await archived.archiveAll()
            let directory = try archived.place("restored")
            _ = try await archived.restore(backup, to: directory, stop: .endOfWAL)
            #expect(Self.exists("\(directory)/standby.signal") && !Self.exists("\(directory)/recovery.signal"))
            try await archived.boot(directory) { (restored) async throws in
                try await waitUntil("all is replayed") {
                    try await restored.value("select count(*) from t") == "1000"
                }
                #expect(try await restored.value("select pg_is_in_recovery()") == "t")
                var context = archived.context
                context.endpoint?.host = restored.socketDirectory
                context.endpoint?.port = restored.port
                let task = try await archived.engine.backup(.init(key: "s", kind: .full, repository: "local"), context)
                let error = await #expect(throws: FleetError.self) { try await archived.agent.carryOut(task) }
                #expect(error?.code == .refused && error?.message.contains("standby") == true)
                try await restored.query("select pg_promote()")
                #expect(try await restored.value("select pg_is_in_recovery()") == "f")
            }
        }
    }

    @Test func aForeignServerGetsNoWAL() async throws {
        try await ArchivedServer.with(MemoryStorage()) { (archived) async throws in
            _ = try await archived.backup()
            let segment = try #require(try await archived.catalog().segments.first)
            let other = try await PostgresServer.create(
                in: archived.scratch, name: "other", .init(ownSystemIdentifier: true, starts: false))
            let destination = "\(other.dataDirectory)/pg_wal/RECOVERYXLOG"
            #expect(await archived.agent.run("wal-get", "\(segment.name)", destination) == WALGet.Status.otherSystem)
            let own = "\(archived.server.dataDirectory)/pg_wal/RECOVERYXLOG"
            #expect(await archived.agent.run("wal-get", "\(segment.name)", own) == 0)
        }
    }
}
