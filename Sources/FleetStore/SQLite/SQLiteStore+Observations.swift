public import FleetPluginAPI
import GRDB

extension SQLiteStore {
    public func saveObservation(subject: String, value: JSONValue, at: Timestamp) async throws {
        try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO observations (subject, value, at) VALUES (?, ?, ?)
                    ON CONFLICT (subject) DO UPDATE SET value = excluded.value, at = excluded.at
                    WHERE excluded.at >= observations.at
                    """,
                arguments: [subject, try JSONText.encode(value) as String, at.microseconds])
        }
    }

    public func observation(_ subject: String) async throws -> Observation? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM observations WHERE subject = ?", arguments: [subject])
                .map(Observation.init)
        }
    }

    public func observations(prefix: String) async throws -> [Observation] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM observations WHERE substr(subject, 1, length(:prefix)) = :prefix ORDER BY subject
                    """,
                arguments: ["prefix": prefix]
            ).map(Observation.init)
        }
    }

    public func recordDuration(
        kind: String, subject: String, bytes: Int64, duration: Duration, at: Timestamp
    ) async throws {
        try await write { db in
            try db.execute(
                sql: "INSERT INTO durations (kind, subject, bytes, microseconds, at) VALUES (?, ?, ?, ?, ?)",
                arguments: [kind, subject, bytes, duration.microseconds, at.microseconds])
            // Estimates read no more than these; evidence is kept elsewhere.
            try db.execute(
                sql: """
                    DELETE FROM durations WHERE kind = :kind AND subject = :subject AND id NOT IN (
                        SELECT id FROM durations WHERE kind = :kind AND subject = :subject
                        ORDER BY at DESC, id DESC LIMIT 20)
                    """,
                arguments: ["kind": kind, "subject": subject])
        }
    }

    public func durations(kind: String, subject: String) async throws -> [WorkDuration] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM durations WHERE kind = ? AND subject = ? ORDER BY at DESC, id DESC LIMIT 20",
                arguments: [kind, subject]
            ).map(WorkDuration.init)
        }
    }
}

extension Observation {
    fileprivate init(_ row: Row) throws {
        self.init(subject: try row.text("subject"), value: try row.json("value"), at: try row.timestamp("at"))
    }
}

extension WorkDuration {
    fileprivate init(_ row: Row) throws {
        self.init(
            kind: try row.text("kind"), subject: try row.text("subject"), bytes: try row.integer("bytes"),
            duration: .microseconds(try row.integer("microseconds")), at: try row.timestamp("at"))
    }
}
