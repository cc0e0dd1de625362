public import FleetPluginAPI
import GRDB

extension SQLiteStore {
    public func updateRun(
        _ id: String, state: RunState, error: FleetError?, endedAt: Timestamp?, lease: Lease?
    ) async throws {
        try await write { [clock] db in
            try Self.touch(id, lease: lease, at: clock(), in: db)
            try db.execute(
                sql: "UPDATE runs SET state = ?, error = ?, ended_at = ? WHERE id = ?",
                arguments: [state.rawValue, try JSONText.encode(error), endedAt?.microseconds, id])
        }
    }

    public func setAttribute(run: String, key: String, value: JSONValue, lease: Lease?) async throws {
        try await write { [clock] db in
            try Self.touch(run, lease: lease, at: clock(), in: db)
            var attributes = try Self.fetchRun(run, in: db)?.attributes ?? [:]
            attributes[key] = value
            try db.execute(
                sql: "UPDATE runs SET attributes = ? WHERE id = ?",
                arguments: [try JSONText.encode(attributes) as String, run])
        }
    }

    public func markUndone(_ run: String, by other: String) async throws {
        try await write { [clock] db in
            try Self.touch(run, lease: nil, at: clock(), in: db)
            if let earlier = try Self.fetchRun(run, in: db)?.undoneBy, earlier != other {
                throw FleetError(
                    .conflict, "run \(run) was already undone", cause: "by run \(earlier)", retriable: false)
            }
            try db.execute(sql: "UPDATE runs SET undone_by = ? WHERE id = ?", arguments: [other, run])
        }
    }

    @discardableResult
    public func updateStep(_ step: StepRecord, event: EventDraft, lease: Lease) async throws -> RunEvent {
        try await write { [clock] db in
            let now = clock()
            try Self.touch(step.run, lease: lease, at: now, in: db)
            try db.execute(
                sql: """
                    UPDATE steps SET state = ?, attempts = ?, started_at = ?, ended_at = ?, output = ?, error = ?
                    WHERE run = ? AND position = ? AND id = ?
                    """,
                arguments: [
                    step.state.rawValue, step.attempts, step.startedAt?.microseconds, step.endedAt?.microseconds,
                    try JSONText.encode(step.output), try JSONText.encode(step.error), step.run, step.index, step.id,
                ])
            guard db.changesCount == 1 else {
                throw FleetError(.notFound, "run \(step.run) has no step \(step.index) named \(step.id)")
            }
            return try Self.append(event, to: step.run, step: step.id, at: now, in: db)
        }
    }

    @discardableResult
    public func appendEvent(run: String, step: String?, event: EventDraft, lease: Lease?) async throws -> RunEvent {
        try await write { [clock] db in
            let now = clock()
            try Self.touch(run, lease: lease, at: now, in: db)
            return try Self.append(event, to: run, step: step, at: now, in: db)
        }
    }

    public func events(of run: String, after sequence: Int64, limit: Int) async throws -> [RunEvent] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM events WHERE run = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [run, sequence, max(0, limit)]
            ).map(RunEvent.init)
        }
    }

    /// Every write to a run begins here: the run exists, and the lease, where there is one, is in force.
    static func touch(_ run: String, lease: Lease?, at now: Timestamp, in db: Database) throws {
        try db.execute(
            sql: "UPDATE runs SET updated_at = max(updated_at, ?) WHERE id = ?", arguments: [now.microseconds, run])
        guard db.changesCount == 1 else { throw FleetError(.notFound, "there is no run \(run)") }
        if let lease { try requireInForce(lease, for: run, in: db) }
    }

    /// The caller holds the write lock, so that no two events get the same number.
    static func append(
        _ event: EventDraft, to run: String, step: String?, at time: Timestamp, in db: Database
    ) throws -> RunEvent {
        let last = try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM events WHERE run = ?", arguments: [run])
        let event = RunEvent(
            run: run, sequence: (last ?? 0) + 1, time: time, step: step, kind: event.kind,
            message: event.message.storable, details: event.details)
        try db.execute(
            sql: """
                INSERT INTO events (run, sequence, time, step, kind, message, details) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                event.run, event.sequence, event.time.microseconds, event.step, event.kind, event.message,
                try JSONText.encode(event.details),
            ])
        return event
    }
}

extension RunEvent {
    fileprivate init(_ row: Row) throws {
        self.init(
            run: try row.text("run"), sequence: try row.integer("sequence"), time: try row.timestamp("time"),
            step: try row.textIfPresent("step"), kind: try row.text("kind"), message: try row.text("message"),
            details: try row.jsonIfPresent("details"))
    }
}
