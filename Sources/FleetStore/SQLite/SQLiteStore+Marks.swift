public import FleetPluginAPI
import GRDB

extension SQLiteStore {
    public func beginMark(
        set: String, kind: MarkRecord.Kind, by person: String, at: Timestamp
    ) async throws -> MarkRecord {
        try await write { db in
            let epoch = try Self.epoch(of: set, in: db)
            let last = try Int.fetchOne(
                db, sql: "SELECT max(sequence) FROM marks WHERE restore_set = ?", arguments: [set])
            let sequence = (last ?? 0) + 1
            let mark = MarkRecord(
                name: "flt.\(set).\(epoch).\(sequence).\(kind.rawValue)", set: set, epoch: epoch, sequence: sequence,
                kind: kind, createdAt: at, createdBy: person)
            guard mark.name.utf8.count <= 63 else {
                throw FleetError(
                    .refused, "the restore set's name \(set) is too long for marks",
                    cause: "a restore point's name has 63 bytes at most, and \(mark.name) has \(mark.name.utf8.count)",
                    hint: "give the set a shorter name")
            }
            try db.execute(
                sql: """
                    INSERT INTO marks (name, restore_set, sequence, created_at, value) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [mark.name, set, sequence, at.microseconds, try JSONText.encode(mark) as String])
            return mark
        }
    }

    public func saveMark(_ mark: MarkRecord) async throws {
        try await write { db in
            try db.execute(
                sql: "UPDATE marks SET value = ? WHERE name = ?",
                arguments: [try JSONText.encode(mark) as String, mark.name])
            guard db.changesCount == 1 else { throw FleetError(.notFound, "there is no mark \(mark.name)") }
        }
    }

    public func marks(of set: String?, limit: Int) async throws -> [MarkRecord] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT value FROM marks WHERE :set IS NULL OR restore_set = :set
                    ORDER BY created_at DESC, sequence DESC LIMIT :limit
                    """,
                arguments: ["set": set, "limit": limit]
            ).map { try $0.json("value") as MarkRecord }
        }
    }

    public func raiseEpoch(of set: String) async throws -> Int {
        try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO restore_sets (name, epoch) VALUES (?, 1)
                    ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1
                    """, arguments: [set])
            return try Self.epoch(of: set, in: db)
        }
    }

    public func epoch(of set: String) async throws -> Int {
        try await read { db in try Self.epoch(of: set, in: db) }
    }

    private static func epoch(of set: String, in db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT epoch FROM restore_sets WHERE name = ?", arguments: [set]) ?? 0
    }
}
