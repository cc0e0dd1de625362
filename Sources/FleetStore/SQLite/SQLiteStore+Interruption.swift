public import FleetPluginAPI
import GRDB

extension SQLiteStore {
    public func markInterrupted(
        now: Timestamp, isOwnerDead: @escaping @Sendable (LeaseOwner) -> Bool
    ) async throws -> [RunRecord] {
        // Looked at first without the write lock: this is called whenever someone asks for the runs.
        let find = { @Sendable (db: Database) in try Self.abandonedRuns(now: now, isOwnerDead: isOwnerDead, in: db) }
        guard try await read({ try !find($0).isEmpty }) else { return [] }
        return try await write { db in
            try find(db).compactMap { run in
                try Self.touch(run.id, lease: nil, at: now, in: db)
                try db.execute(
                    sql: "UPDATE runs SET state = ? WHERE id = ?",
                    arguments: [RunState.interrupted.rawValue, run.id])
                let event = EventDraft(
                    kind: "run.interrupted", message: "nobody carries this run out any more",
                    details: ["was": .string(run.state.rawValue)])
                _ = try Self.append(event, to: run.id, step: nil, at: now, in: db)
                return try Self.fetchRun(run.id, in: db)
            }
        }
    }

    private static func abandonedRuns(
        now: Timestamp, isOwnerDead: (LeaseOwner) -> Bool, in db: Database
    ) throws -> [RunRecord] {
        let begun = try String.fetchAll(
            db, sql: "SELECT id FROM runs WHERE state IN (?, ?) ORDER BY created_at, id",
            arguments: [RunState.running.rawValue, RunState.aborting.rawValue])
        return try begun.compactMap { try fetchRun($0, in: db) }.filter { run in
            guard let lease = try fetchLease(of: run.id, in: db) else {
                // Its owner may be between creating the run and taking the lease.
                return run.updatedAt + .seconds(60) <= now
            }
            return lease.expiresAt <= now || isOwnerDead(lease.owner)
        }
    }
}
