public import FleetPluginAPI
import GRDB

extension SQLiteStore {
    @discardableResult
    public func audit(
        actor: String, action: String, subject: String, details: JSONValue?
    ) async throws -> AuditEntry {
        try await write { [clock] db in
            let head = try Self.auditHead(in: db)
            let time = clock()
            let (actor, action, subject) = (actor.storable, action.storable, subject.storable)
            let text: String? = try JSONText.encode(details)
            let sequence = head.sequence + 1
            let hash = AuditChain.hash(
                previous: head.hash, sequence: sequence, time: time, actor: actor, action: action, subject: subject,
                details: text)
            try db.execute(
                sql: """
                    INSERT INTO audit (sequence, time, actor, action, subject, details, hash)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [sequence, time.microseconds, actor, action, subject, text, hash])
            try db.execute(sql: "UPDATE audit_head SET sequence = ?, hash = ?", arguments: [sequence, hash])
            return AuditEntry(
                sequence: sequence, time: time, actor: actor, action: action, subject: subject, details: details,
                hash: hash)
        }
    }

    public func auditEntries(after sequence: Int64, limit: Int) async throws -> [AuditEntry] {
        try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [sequence, max(0, limit)]
            ).map(AuditEntry.init)
        }
    }

    public func verifyAudit() async throws -> Int64? {
        try await read { db in
            var sequence: Int64 = 0
            var previous = ""
            let rows = try Row.fetchCursor(db, sql: "SELECT * FROM audit ORDER BY sequence")
            while let row = try rows.next() {
                sequence += 1
                let hash = AuditChain.hash(
                    previous: previous, sequence: sequence, time: try row.timestamp("time"),
                    actor: try row.text("actor"), action: try row.text("action"), subject: try row.text("subject"),
                    details: try row.textIfPresent("details"))
                guard try row.integer("sequence") == sequence, try row.text("hash") == hash else { return sequence }
                previous = hash
            }
            let head = try Self.auditHead(in: db)
            guard head.sequence == sequence else { return min(head.sequence, sequence) + 1 }
            return head.hash == previous ? nil : sequence
        }
    }

    private static func auditHead(in db: Database) throws -> (sequence: Int64, hash: String) {
        guard let row = try Row.fetchOne(db, sql: "SELECT sequence, hash FROM audit_head") else {
            throw FleetError(
                .corrupted, "the audit has lost its head",
                hint: "put a copy of the state file back, and ask who did it")
        }
        return (try row.integer("sequence"), try row.text("hash"))
    }
}

extension AuditEntry {
    fileprivate init(_ row: Row) throws {
        self.init(
            sequence: try row.integer("sequence"), time: try row.timestamp("time"), actor: try row.text("actor"),
            action: try row.text("action"), subject: try row.text("subject"),
            details: try row.jsonIfPresent("details"), hash: try row.text("hash"))
    }
}
