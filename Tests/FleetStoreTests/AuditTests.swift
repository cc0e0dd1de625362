import FleetPluginAPI
import FleetTestSupport
import GRDB
import Testing

@testable import FleetStore

@Suite struct AuditTests {
    @Test(arguments: StoreKind.allCases)
    func chainsEntriesOfConcurrentWriters(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            #expect(try await fixture.store.verifyAudit() == nil)
            let stores = [fixture.store, try await fixture.connect()]
            try await withThrowingTaskGroup { group in
                for number in 0..<30 {
                    group.addTask {
                        try await stores[number % 2].audit(
                            actor: "alice", action: "restore.apply", subject: "instance/\(number)",
                            details: number % 3 == 0 ? nil : ["target": "2025-12-18T10:30:00Z"])
                    }
                }
                try await group.waitForAll()
            }
            let entries = try await fixture.store.auditEntries(after: 0, limit: 100)
            #expect(entries.map(\.sequence) == Array(1...30))
            #expect(Set(entries.map(\.subject)).count == 30)
            #expect(try await fixture.store.auditEntries(after: 28, limit: 1).map(\.sequence) == [29])
            #expect(try await fixture.store.verifyAudit() == nil)
        }
    }

    /// Computed apart from this project with Python's hashlib, from the description of `AuditChain`.
    @Test func hashesAsDescribed() {
        let first = AuditChain.hash(
            previous: "", sequence: 1, time: Timestamp(microseconds: 1_766_053_800_000_000), actor: "alice",
            action: "restore.apply", subject: "instance/orders", details: nil)
        #expect(first == "eeb0fdc4c364cd2b0d1d663e1b7f377db78e8a4aeb8d51b2bcda962211d8f765")
        let second = AuditChain.hash(
            previous: first, sequence: 2, time: Timestamp(microseconds: 1_766_053_800_000_001), actor: "Zoë",
            action: "run.abort", subject: "run/r-1", details: "{\"a\":1}")
        #expect(second == "a9225b82aca84f971c907a646972c02245596a7c66d9bd34f902d440892d889e")
    }

    @Test(arguments: [
        ("UPDATE audit SET actor = 'mallory' WHERE sequence = 3", 3),
        ("UPDATE audit SET time = time + 1 WHERE sequence = 1", 1),
        ("UPDATE audit SET details = NULL WHERE sequence = 2", 2),
        ("UPDATE audit SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE sequence = 5", 5),
        ("DELETE FROM audit WHERE sequence = 1", 1),
        ("DELETE FROM audit WHERE sequence = 3", 3),
        ("DELETE FROM audit WHERE sequence > 3", 4),
        ("DELETE FROM audit", 1),
        ("UPDATE audit_head SET sequence = 9", 6),
        ("UPDATE audit_head SET hash = ''", 5),
        ("INSERT INTO audit VALUES (6, 0, 'm', 'a', 's', NULL, 'h')", 6),
    ])
    func findsWhatWasTamperedWith(_ act: String, _ broken: Int64) async throws {
        try await withStore(.sqlite) { fixture in
            let store = try #require(fixture.store as? SQLiteStore)
            for number in 1...5 {
                try await store.audit(
                    actor: "alice", action: "backup", subject: "\(number)", details: ["n": .integer(Int64(number))])
            }
            try await store.write { db in
                try db.execute(sql: "DROP TRIGGER audit_is_not_updated; DROP TRIGGER audit_is_not_deleted")
                try db.execute(sql: act)
            }
            #expect(try await store.verifyAudit() == broken)
        }
    }

    @Test(arguments: ["UPDATE audit SET actor = 'm'", "DELETE FROM audit"])
    func refusesSlips(_ act: String) async throws {
        try await withStore(.sqlite) { fixture in
            let store = try #require(fixture.store as? SQLiteStore)
            try await store.audit(actor: "alice", action: "backup", subject: "s", details: nil)
            let error = await fleetError { try await store.write { try $0.execute(sql: act) } }
            #expect(error?.cause?.contains("append-only") == true)
            #expect(try await store.verifyAudit() == nil)
        }
    }
}
