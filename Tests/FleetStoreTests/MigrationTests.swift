import FleetPluginAPI
import FleetTestSupport
import GRDB
import Testing

@testable import FleetStore

@Suite struct MigrationTests {
    /// Every released schema: a file of each must open, keep what it holds and be as good as a new one.
    @Test(arguments: StateSchema.migrator.migrations)
    func bringsAnOlderFileUpToDate(_ migration: String) async throws {
        try await withScratch { scratch in
            let path = scratch.path("state.db")
            let old = try await SQLiteStore.open(path: path, upTo: migration, clock: { .now })
            let run = RunRecord.sample("r-1")
            try await old.createRun(run, steps: [.sample("r-1", 0)])
            let event = try await old.appendEvent(run: "r-1", kind: "k", message: "m", lease: nil)
            let lease = try await old.acquire(
                run: "r-1", resources: ["instance/orders"], owner: .sample(1), duration: .seconds(30),
                now: run.createdAt, isOwnerDead: { _ in false })
            try await old.close()

            let new = try await SQLiteStore.open(path: path)
            #expect(try await new.schemaVersion == StateSchema.latestVersion)
            #expect(try await new.run("r-1")?.planHash == run.planHash)
            #expect(try await new.steps(of: "r-1") == [.sample("r-1", 0)])
            #expect(try await new.events(of: "r-1", after: 0, limit: 9) == [event])
            #expect(try await new.lease(of: "r-1") == lease)
            try await new.saveObservation(subject: "s", value: 1, at: run.createdAt)
            try await new.audit(actor: "a", action: "b", subject: "c", details: nil)
            #expect(try await new.verifyAudit() == nil)
            #expect(try await schema(new) == schema(try await SQLiteStore.open(path: scratch.path("fresh.db"))))
            try await new.close()
        }
    }

    /// Released migrations are frozen: whoever changes one instead of adding the next learns it here.
    @Test func namesEveryReleasedMigration() {
        #expect(StateSchema.migrator.migrations == ["0001-journal", "0002-observations", "0003-audit", "0004-marks"])
        #expect(StateSchema.latestVersion == StateSchema.migrator.migrations.count)
    }

    private func schema(_ store: SQLiteStore) async throws -> [String] {
        try await store.read { db in
            try String.fetchAll(db, sql: "SELECT sql FROM sqlite_master WHERE sql <> '' ORDER BY name")
        }
    }
}
