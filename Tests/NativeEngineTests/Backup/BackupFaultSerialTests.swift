import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import NativeEngine

/// What must not become a listed backup, does not.
@Suite(.serialized) struct BackupFaultSerialTests {
    @Test func aCrashAtAnyWriteListsNothingAndIsCollectedLater() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage) { (archived) async throws in
            var crashes = 0
            while true {
                storage.breakAfter(writes: crashes)
                let result = await Result { try await archived.backup("crash") }
                storage.breakAfter(writes: nil)
                if case .success = result { break }
                crashes += 1
                if storage.keys.contains(RepositoryMarker.key) {
                    #expect(try await archived.catalog().backups.isEmpty, "after \(crashes - 1) writes")
                }
            }
            // Marker, instance, claim, pack, manifest, document at least; WAL comes in between.
            #expect(crashes >= 6)
            let published = try await archived.catalog().backups
            #expect(published.count == 1)
            let label = try #require(published.first?.label)
            // Young leftovers may be another writer's.
            #expect(try await archived.expire(keep: 1).orphans.isEmpty)
            storage.age("instances/orders/", by: .seconds(2 * 86_400))
            let report = try await archived.expire(keep: 1)
            #expect(!report.orphans.isEmpty && report.removedPacks >= 1 && report.kept == [label])
            let left = storage.keys.filter { $0.contains("/packs/") || $0.contains("/backups/") }
            #expect(left.allSatisfy { $0.contains(label) })
            #expect(try await archived.verify().findings.isEmpty)
        }
    }

    @Test func aSecondRunUnderTheKeyReturnsTheFirst() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage) { (archived) async throws in
            let first = try await archived.backup("k")
            let keys = storage.keys
            #expect(try await archived.backup("k") == first)
            #expect(storage.keys.filter { $0.contains("/packs/") } == keys.filter { $0.contains("/packs/") })
            #expect(try await archived.backup("other") != first)
            #expect(try await archived.catalog().backups.count == 2)
        }
    }

    @Test func withoutItsWALItIsNotPublished() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage, settings: ["archive_command": "false"]) { (archived) async throws in
            let engine = try NativeEngine(PluginOptions(["archiveTimeout": "1s"]), resolve: TestPassphrase.resolve)
            let task = try await engine.backup(.init(key: "k", kind: .full, repository: "local"), archived.context)
            let error = await #expect(throws: FleetError.self) { try await archived.agent.carryOut(task) }
            #expect(error?.code == .timedOut)
            #expect(error?.message.contains("0000000100000000") == true)
            #expect(error?.hint?.contains("wal-push --instance orders %p") == true)
            #expect(try await archived.catalog().backups.isEmpty)
            #expect(!storage.keys.contains { $0.contains("/packs/") })
        }
    }

    @Test func serversWhoseBackupCouldNotBeRestoredAreRefused() async throws {
        try await ArchivedServer.with(MemoryStorage(), settings: ["archive_mode": "off"]) { (archived) async throws in
            let error = await #expect(throws: FleetError.self) { try await archived.backup() }
            #expect(error?.code == .refused && error?.hint?.contains("archive_mode = on") == true)
        }
        try await ArchivedServer.with(MemoryStorage(), settings: ["archive_command": ""]) { (archived) async throws in
            let error = await #expect(throws: FleetError.self) { try await archived.backup() }
            #expect(error?.code == .refused && error?.hint?.contains("archive_command") == true)
        }
    }

    @Test func anotherServerIsRefused() async throws {
        let storage = MemoryStorage()
        let instance = try await Repository.openOrCreate(.init(name: "local", storage: storage), TestPassphrase.resolve)
            .instance("orders")
        try await instance.admitWriter(Segments.system)
        try await ArchivedServer.with(storage) { (archived) async throws in
            let error = await #expect(throws: FleetError.self) { try await archived.backup() }
            #expect(error?.code == .refused)
            #expect(!storage.keys.contains { $0.contains("/packs/") || $0.contains("/backups/") })
        }
    }

    @Test func whatTheServerFindsDamagedIsNotPublished() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage) { (archived) async throws in
            let server = archived.server
            try await server.query("create table t as select g from generate_series(1, 5000) g; checkpoint")
            let path = try await server.value("select pg_relation_filepath('t')")
            try await server.stop()
            let file = try FileHandleForDamage(server.dataDirectory + "/" + path)
            file.flip(at: 8192 + 4000)
            try await server.start()
            let error = await #expect(throws: FleetError.self) { try await archived.backup() }
            #expect(error?.code == .corrupted)
            #expect(try await archived.catalog().backups.isEmpty)
        }
    }
}

extension Result where Failure == any Error {
    init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}
