import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import NativeEngine

/// Incremental backups of which the server sends only what has changed (PostgreSQL 17 and later).
@Suite(.serialized) struct ServerIncrementalSerialTests {
    private static let settings = ["summarize_wal": "on", "wal_summary_keep_time": "1d", "autovacuum": "off"]

    private func manifest(_ archived: ArchivedServer, _ backup: BackupRecord) async throws -> [String: [UInt32]] {
        let repository = try #require(archived.agent.repositories.first)
        let instance = try await Repository.open(repository, TestPassphrase.resolve).instance("orders")
        let manifest = try #require(try await instance.backup(backup.label)).manifest
        #expect(manifest.files.allSatisfy { $0.chunks.count == $0.chunkChecksums?.values.count })
        return Dictionary(
            uniqueKeysWithValues: manifest.files.filter {
                $0.path.hasPrefix("base/") || $0.path.hasPrefix("pg_tblspc/")
            }
            .map { ($0.path, [$0.crc32c, UInt32($0.size)]) })
    }

    /// What is put together is what a full backup at the same point has.
    @Test func itBecomesTheWholeOfWhatIsThere() async throws {
        try await ArchivedServer.with(MemoryStorage(), settings: Self.settings, major: 18) { (archived) async throws in
            let server = archived.server
            let fast = try archived.scratch.directory("fast", owner: server.installation.owner)
            try await server.query("create tablespace fast location '\(fast)'")
            try await server.query(
                """
                create table big as select g id, md5(g::text) note from generate_series(1, 100000) g;
                create table moved tablespace fast as select g id, md5(g::text) note from generate_series(1, 20000) g;
                create table shrinking as select g id, repeat('x', 500) note from generate_series(1, 20000) g;
                create table emptied as select g id from generate_series(1, 5000) g;
                create table dropped as select g id from generate_series(1, 5000) g;
                create index on big (id);
                """)
            try await server.query("vacuum (freeze, analyze)")
            let full = try await archived.backup("full")
            try await server.query(
                """
                update big set note = 'changed' where id % 9000 = 5;
                update moved set note = 'changed' where id = 7;
                insert into big select g, md5(g::text) from generate_series(100001, 103000) g;
                delete from shrinking where id > 7777;
                truncate emptied;
                drop table dropped;
                create table fresh as select g id from generate_series(1, 5000) g;
                """)
            try await server.query("vacuum (freeze) shrinking")
            try await server.query("checkpoint")
            let incremental = try await archived.backup("incremental", .incr)
            #expect(archived.agent.log.contains("the server sends what has changed since \(full.label)"))
            #expect(incremental.kind == .incr && incremental.references == [full.label])
            #expect(incremental.storedSize < full.storedSize / 2)
            let whole = try await archived.backup("whole")
            let made = try await manifest(archived, incremental)
            let expected = try await manifest(archived, whole)
            #expect(made.count > 100)
            for path in Set(made.keys).union(expected.keys) where made[path] != expected[path] {
                Issue.record("\(path): \(made[path] ?? []) is not \(expected[path] ?? [])")
            }
            // And so on from there.
            try await server.query("update big set note = 'again' where id = 50000")
            let second = try await archived.backup("second", .incr)
            #expect(second.references == [whole.label])
            let third = try await archived.backup("third", .diff)
            #expect(third.kind == .diff && third.references == [whole.label])
            #expect(try await archived.verify().findings.isEmpty)
            for (backup, note) in [(incremental, "0"), (second, "1"), (third, "1")] {
                let directory = try archived.place("restored-\(backup.label)")
                try await archived.restore(
                    backup, to: directory, tablespaces: [fast: archived.scratch.path("moved-\(backup.label)")])
                try await archived.boot(directory) { (restored) async throws in
                    let found = try await restored.value(
                        """
                        select (select count(*) from big) || ' ' || (select count(*) from big where note = 'again')
                          || ' ' || (select count(*) from shrinking) || ' ' || (select count(*) from emptied)
                          || ' ' || (select count(*) from moved where note = 'changed')
                        """)
                    #expect(found == "103000 \(note) 7777 0 1")
                }
            }
        }
    }

    @Test func whereItCannotTellEverythingIsSent() async throws {
        try await ArchivedServer.with(
            MemoryStorage(), settings: ["summarize_wal": "off"], major: 18
        ) { (archived) async throws in
            let server = archived.server
            try await server.query("create table t as select g id from generate_series(1, 50000) g")
            try await archived.backup("full")
            try await server.query("update t set id = 0 where id = 1")
            // From here on it summarises, and knows nothing of what was before.
            try await server.query("checkpoint")
            try await archived.archiveAll()
            try await server.query("alter system set summarize_wal = on")
            try await server.query("select pg_reload_conf()")
            let incremental = try await archived.backup("incremental", .incr)
            #expect(incremental.kind == .incr)
            let directory = try archived.place("restored")
            try await archived.restore(incremental, to: directory)
            try await archived.boot(directory) { (restored) async throws in
                #expect(try await restored.value("select count(*) from t where id = 0") == "1")
            }
        }
    }
}
