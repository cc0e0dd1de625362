import DirectoryStorage
import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import NativeEngine

/// Differential and incremental backups of a real server.
@Suite(.serialized) struct IncrementalSerialTests {
    @Test func onlyWhatChangedIsStoredAndEachIsRestoredByItself() async throws {
        try await ArchivedServer.with(MemoryStorage()) { archived in
            let server = archived.server
            try await server.query(
                "create table big as select g id, md5(g::text) note from generate_series(1, 100000) g")
            // Hint bits would else be written to every page later.
            try await server.query("vacuum (freeze, analyze)")
            let full = try await archived.backup("full")
            #expect(full.kind == .full && full.references.isEmpty)

            try await server.query("update big set note = 'first' where id = 5")
            let first = try await archived.backup("first", .incr)
            #expect(first.kind == .incr && first.references == [full.label] && first.label.contains("-incr-"))
            #expect(first.size >= full.size - (1 << 20) && first.storedSize < full.storedSize / 4)
            try await server.query("insert into big select g, md5(g::text) from generate_series(100001, 120000) g")
            let second = try await archived.backup("second", .incr)
            #expect(Set(second.references).isSubset(of: [full.label, first.label]))
            try await server.query("update big set note = 'third' where id = 7")
            let third = try await archived.backup("third", .diff)
            #expect(third.kind == .diff && third.references == [full.label])
            #expect(third.storedSize > second.storedSize / 2, "what came since the full is stored again")
            #expect(try await archived.verify().findings.isEmpty)

            for (backup, rows, note) in [
                (first, "100000", "first"), (second, "120000", "first"), (third, "120000", "first"),
            ] {
                let directory = try archived.place("restored-\(backup.label)")
                _ = try await archived.restore(backup, to: directory)
                try await server.installation.run("pg_verifybackup", ["-n", directory]).checked()
                try await archived.boot(directory) { (restored) async throws in
                    let found = try await restored.value(
                        "select count(*) || ' ' || min(note) filter (where id = 5) from big")
                    #expect(found == "\(rows) \(note)")
                }
            }
            // They go with the full that they build upon, and nothing that is needed goes.
            let newer = try await archived.backup("newer")
            let last = try await archived.backup("last", .incr)
            #expect(last.references == [newer.label])
            let report = try await archived.expire(keep: 1)
            #expect(report.kept == [newer.label, last.label] && report.removed.count == 4)
            #expect(try await archived.verify().findings.isEmpty)
        }
    }

    @Test func withoutABaseAFullIsMade() async throws {
        try await ArchivedServer.with(MemoryStorage()) { archived in
            let backup = try await archived.backup("first", .diff)
            #expect(backup.kind == .full && backup.label.contains("-full-") && backup.references.isEmpty)
            #expect(archived.agent.log.contains("a full is made"))
            // Asked for again under its key, it is the same.
            let again = try await archived.backup("first", .diff)
            #expect(again == backup)
        }
    }

    @Test func aDamagedBaseAndOneThatIsBeingRemovedAreNotBuiltUpon() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage) { archived in
            let keys = try InstanceKeys("orders")
            let good = try await archived.backup("good")
            let damaged = try await archived.backup("damaged")
            let pack = try #require(storage.keys.first { $0.hasPrefix(keys.packs(of: damaged.label)) })
            storage[pack] = Array((storage[pack] ?? []).dropLast())
            let expiring = try await archived.backup("expiring")
            storage[keys.tombstone(expiring.label)] = try SealedJSON.encode(["expiredAt": Timestamp.now])
            let made = try await archived.backup("incremental", .incr)
            #expect(made.references == [good.label])
            #expect(archived.agent.log.contains("\(damaged.label) is passed over"))
        }
    }
}
