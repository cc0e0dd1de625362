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
            #expect(!report.orphans.isEmpty && report.kept == [label])
            #expect(storage.keys.filter { $0.contains("/backups/") }.allSatisfy { $0.contains(label) })
            // Of what the crashed attempts stored, what the last one went on with.
            let instance = try await Repository.open(.init(name: "local", storage: storage), TestPassphrase.resolve)
                .instance("orders")
            let needed = try #require(try await instance.backup(label)).manifest.packs.map { instance.keys.pack($0.id) }
            #expect(storage.keys.filter { $0.contains("/packs/") } == needed.sorted())
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
            // The next attempt goes on with what is stored, at once.
            #expect(!storage.keys.contains { $0.hasSuffix("started.json") })
            #expect(storage.keys.contains { $0.contains("/packs/") })
        }
    }

    /// The line is cut when part of it is stored: the next backup, asked for anew, stores the rest.
    @Test(arguments: [BackupRecord.Kind.full, .incr]) func aCutBackupIsGoneOnWith(_ kind: BackupRecord.Kind)
        async throws
    {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage, settings: ["max_wal_size": "1GB"]) { (archived) async throws in
            let first = try await archived.backup("first")
            try await archived.server.query(
                "create table noise as select sha256(i::text::bytea) a, sha256((i+5000000)::text::bytea) b "
                    + "from generate_series(1, 700000) i")
            try await archived.archiveAll()
            func packs() -> [String] { storage.keys.filter { $0.contains("/packs/") && !$0.contains(first.label) } }
            var writes = 0
            while packs().isEmpty {
                writes += 1
                storage.breakAfter(writes: writes)
                let result = await Result { try await archived.backup("cut \(writes)", kind) }
                storage.breakAfter(writes: nil)
                if case .success = result { Issue.record("it was not cut") }
            }
            let left = packs()
            if kind == .full {
                // While its writer may live, nobody refers to what it stored.
                let beside = try await archived.backup("beside", kind)
                #expect(!archived.agent.log.contains("going on with") && beside.storedSize > 40 << 20)
            }
            storage.age("instances/orders/backups/", by: .seconds(21 * 60))
            let second = try await archived.backup("second", kind)
            #expect(archived.agent.log.contains("going on with what"), "\(archived.agent.log)")
            #expect(second.kind == kind && second.references == (kind == .full ? [] : [first.label]))
            // Nothing that was there is stored twice.
            #expect(second.storedSize < 40 << 20, "\(second.storedSize) bytes beside \(left)")
            #expect(try await archived.verify().findings.isEmpty)
            // What it refers to is not taken for garbage, and goes with it.
            storage.age("instances/orders/", by: .seconds(2 * 86_400))
            _ = try await archived.expire(keep: 2)
            #expect(Set(packs()).isSuperset(of: left))
            let directory = try archived.place("restored")
            try await archived.restore(second, to: directory)
            try await archived.server.installation.run("pg_verifybackup", ["-n", directory]).checked()
            let third = try await archived.backup("third")
            _ = try await archived.expire(keep: 1)
            #expect(packs().allSatisfy { $0.contains(third.label) })
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
