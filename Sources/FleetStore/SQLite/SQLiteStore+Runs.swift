import FleetPluginAPI
import GRDB

extension SQLiteStore {
    public func createRun(_ run: RunRecord, steps: [StepRecord]) async throws {
        guard steps.allSatisfy({ $0.run == run.id }) else {
            throw FleetError(.failed, "run \(run.id) was given a step of another run")
        }
        try await write { db in
            guard try Self.fetchRun(run.id, in: db) == nil else {
                throw FleetError(.alreadyExists, "run \(run.id) exists already", hint: "try again with another id")
            }
            try Self.insert(run, into: db)
            for step in steps { try Self.insert(step, into: db) }
        }
    }

    public func run(_ id: String) async throws -> RunRecord? {
        try await read { try Self.fetchRun(id, in: $0) }
    }

    public func runs(states: Set<RunState>?, limit: Int) async throws -> [RunRecord] {
        try await read { db in
            let states = states.map { $0.map(\.rawValue).sorted() }
            let condition = states.map { "WHERE state IN (\($0.map { _ in "?" }.joined(separator: ", ")))" } ?? ""
            return try Row.fetchAll(
                db, sql: "SELECT * FROM runs \(condition) ORDER BY created_at DESC, id DESC LIMIT ?",
                arguments: StatementArguments(states ?? []) + [max(0, limit)]
            ).map(RunRecord.init)
        }
    }

    public func runs(kind: String, limit: Int) async throws -> [RunRecord] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM runs WHERE kind = ? ORDER BY created_at DESC, id DESC LIMIT ?",
                arguments: [kind, max(0, limit)]
            ).map(RunRecord.init)
        }
    }

    public func runs(idPrefix: String) async throws -> [RunRecord] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM runs WHERE substr(id, 1, length(:prefix)) = :prefix
                    ORDER BY created_at DESC, id DESC
                    """,
                arguments: ["prefix": idPrefix]
            ).map(RunRecord.init)
        }
    }

    public func steps(of run: String) async throws -> [StepRecord] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM steps WHERE run = ? ORDER BY position", arguments: [run])
                .map(StepRecord.init)
        }
    }

    static func fetchRun(_ id: String, in db: Database) throws -> RunRecord? {
        try Row.fetchOne(db, sql: "SELECT * FROM runs WHERE id = ?", arguments: [id]).map(RunRecord.init)
    }

    private static func insert(_ run: RunRecord, into db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO runs (id, kind, title, state, plan, plan_hash, started_by, created_at, updated_at,
                    ended_at, error, undoes, undone_by, attributes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                run.id, run.kind, run.title.storable, run.state.rawValue, run.plan, run.planHash, run.startedBy,
                run.createdAt.microseconds, run.updatedAt.microseconds, run.endedAt?.microseconds,
                try JSONText.encode(run.error), run.undoes, run.undoneBy, try JSONText.encode(run.attributes) as String,
            ])
    }

    private static func insert(_ step: StepRecord, into db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO steps (run, position, id, kind, title, state, attempts, started_at, ended_at, output, error)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                step.run, step.index, step.id, step.kind, step.title.storable, step.state.rawValue, step.attempts,
                step.startedAt?.microseconds, step.endedAt?.microseconds, try JSONText.encode(step.output),
                try JSONText.encode(step.error),
            ])
    }
}

extension RunRecord {
    fileprivate init(_ row: Row) throws {
        self.init(
            id: try row.text("id"), kind: try row.text("kind"), title: try row.text("title"),
            state: try row.choice("state"), plan: try row.text("plan"), planHash: try row.text("plan_hash"),
            startedBy: try row.text("started_by"), createdAt: try row.timestamp("created_at"),
            updatedAt: try row.timestamp("updated_at"), endedAt: try row.timestampIfPresent("ended_at"),
            error: try row.jsonIfPresent("error"), undoes: try row.textIfPresent("undoes"),
            undoneBy: try row.textIfPresent("undone_by"), attributes: try row.json("attributes"))
    }
}

extension StepRecord {
    fileprivate init(_ row: Row) throws {
        self.init(
            run: try row.text("run"), index: Int(try row.integer("position")), id: try row.text("id"),
            kind: try row.text("kind"), title: try row.text("title"), state: try row.choice("state"),
            attempts: Int(try row.integer("attempts")), startedAt: try row.timestampIfPresent("started_at"),
            endedAt: try row.timestampIfPresent("ended_at"), output: try row.jsonIfPresent("output"),
            error: try row.jsonIfPresent("error"))
    }
}
