public import FleetPluginAPI
import GRDB

extension SQLiteStore {
    public func acquire(
        run: String, resources: [String], owner: LeaseOwner, duration: Duration, now: Timestamp,
        isOwnerDead: @escaping @Sendable (LeaseOwner) -> Bool
    ) async throws -> Lease {
        try await write { db in
            guard try Self.fetchRun(run, in: db) != nil else { throw FleetError(.notFound, "there is no run \(run)") }
            let isGivenUp = { (lease: Lease) in lease.expiresAt <= now || isOwnerDead(lease.owner) }
            if let held = try Self.fetchLease(of: run, in: db) {
                guard isGivenUp(held) else { throw Self.conflict("run \(run)", held, isGivenUp: false) }
                try Self.delete(held.token, in: db)
            }
            for resource in Set(resources).sorted() {
                guard let held = try Self.fetchHolder(of: resource, in: db) else { continue }
                let isGivenUp = isGivenUp(held)
                guard isGivenUp, try Self.fetchRun(held.run, in: db)?.state.isEnded ?? true else {
                    throw Self.conflict(resource, held, isGivenUp: isGivenUp)
                }
                try Self.delete(held.token, in: db)
            }
            return try Self.insertLease(
                run: run, owner: owner, resources: Set(resources).sorted(), expiresAt: now + duration, in: db)
        }
    }

    public func renew(_ lease: Lease, duration: Duration, now: Timestamp) async throws -> Lease {
        try await write { db in
            try Self.requireInForce(lease, for: lease.run, in: db)
            var renewed = lease
            renewed.expiresAt = now + duration
            try db.execute(
                sql: "UPDATE leases SET expires_at = ? WHERE token = ?",
                arguments: [renewed.expiresAt.microseconds, lease.token])
            return renewed
        }
    }

    public func release(_ lease: Lease) async throws {
        try await write { try Self.delete(lease.token, in: $0) }
    }

    public func lease(of run: String) async throws -> Lease? {
        try await read { try Self.fetchLease(of: run, in: $0) }
    }

    static func fetchLease(of run: String, in db: Database) throws -> Lease? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM leases WHERE run = ?", arguments: [run]) else {
            return nil
        }
        return try makeLease(row, in: db)
    }

    /// Fencing: the token is the newest of its run, and was not released.
    static func requireInForce(_ lease: Lease, for run: String, in db: Database) throws {
        let current = try Int64.fetchOne(db, sql: "SELECT token FROM leases WHERE run = ?", arguments: [run])
        guard current != lease.token || lease.run != run else { return }
        let now = current.map { "the one in force has token \($0)" } ?? "none is in force now"
        throw FleetError(
            .conflict, "this process does not carry out run \(run) any more",
            cause: "its lease of run \(lease.run) with token \(lease.token) was released or taken over; \(now)",
            hint: "watch the run: fleet runs watch \(run)", retriable: false)
    }

    private static func fetchHolder(of resource: String, in db: Database) throws -> Lease? {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT leases.* FROM lease_resources JOIN leases USING (token) WHERE resource = ?",
            arguments: [resource])
        return try row.map { try makeLease($0, in: db) }
    }

    private static func makeLease(_ row: Row, in db: Database) throws -> Lease {
        let token = try row.integer("token")
        return Lease(
            run: try row.text("run"), token: token,
            owner: LeaseOwner(
                host: try row.text("host"), bootID: try row.text("boot_id"),
                pid: Int32(truncatingIfNeeded: try row.integer("pid")),
                startTicks: UInt64(bitPattern: try row.integer("start_ticks"))),
            resources: try String.fetchAll(
                db, sql: "SELECT resource FROM lease_resources WHERE token = ? ORDER BY resource", arguments: [token]),
            expiresAt: try row.timestamp("expires_at"))
    }

    private static func insertLease(
        run: String, owner: LeaseOwner, resources: [String], expiresAt: Timestamp, in db: Database
    ) throws -> Lease {
        try db.execute(
            sql: "INSERT INTO leases (run, host, boot_id, pid, start_ticks, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                run, owner.host, owner.bootID, owner.pid, Int64(bitPattern: owner.startTicks), expiresAt.microseconds,
            ])
        let token = db.lastInsertedRowID
        for resource in resources {
            try db.execute(
                sql: "INSERT INTO lease_resources (resource, token) VALUES (?, ?)", arguments: [resource, token])
        }
        return Lease(run: run, token: token, owner: owner, resources: resources, expiresAt: expiresAt)
    }

    private static func delete(_ token: Int64, in db: Database) throws {
        try db.execute(sql: "DELETE FROM leases WHERE token = ?", arguments: [token])
    }

    private static func conflict(_ what: String, _ held: Lease, isGivenUp: Bool) -> FleetError {
        let holder = "process \(held.owner.pid) on \(held.owner.host)"
        if isGivenUp {
            return FleetError(
                .conflict, "\(what) is held by run \(held.run), which was left unfinished",
                cause: "\(holder) carried it out, holds its lease until \(held.expiresAt) and is gone",
                hint: "finish it first: fleet runs resume \(held.run), or fleet runs abort \(held.run)",
                retriable: false)
        }
        let by = what == "run \(held.run)" ? "" : " by run \(held.run)"
        return FleetError(
            .conflict, "\(what) is held\(by) until \(held.expiresAt) or longer", cause: "\(holder) carries it out",
            hint: "wait until it is done, or stop it: fleet runs abort \(held.run)", retriable: true)
    }
}
