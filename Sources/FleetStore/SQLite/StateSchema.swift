import GRDB

/// The tables, and how a file of an older fleet becomes one of this.
///
/// A migration that was released is never edited: a change is a new one, whose name begins with the next number. That
/// number is the schema version. No `STRICT` tables: RHEL 9's SQLite 3.34 does not know them. Times are microseconds
/// since 1970 in UTC, structured values are JSON text.
enum StateSchema {
    /// `FLET` in the file's header marks it as ours.
    static let applicationID: Int32 = 0x464C_4554

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001-journal", migrate: createJournal)
        migrator.registerMigration("0002-observations", migrate: createObservations)
        migrator.registerMigration("0003-audit", migrate: createAudit)
        migrator.registerMigration("0004-marks", migrate: createMarks)
        return migrator
    }

    static var latestVersion: Int { migrator.migrations.map(number).max() ?? 0 }

    static func version(of db: Database) throws -> Int {
        try migrator.appliedIdentifiers(db).map(number).max() ?? 0
    }

    private static func number(of migration: String) -> Int {
        Int(migration.prefix { $0 != "-" }) ?? 0
    }

    private static func createJournal(in db: Database) throws {
        try db.execute(
            sql: """
                PRAGMA application_id = \(applicationID);
                CREATE TABLE runs (
                    id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL,
                    plan TEXT NOT NULL, plan_hash TEXT NOT NULL, started_by TEXT NOT NULL,
                    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, ended_at INTEGER, error TEXT,
                    undoes TEXT, undone_by TEXT, attributes TEXT NOT NULL);
                CREATE INDEX runs_by_creation ON runs (created_at, id);
                CREATE INDEX runs_by_state ON runs (state, created_at, id);
                CREATE TABLE steps (
                    run TEXT NOT NULL REFERENCES runs (id), position INTEGER NOT NULL, id TEXT NOT NULL,
                    kind TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
                    started_at INTEGER, ended_at INTEGER, output TEXT, error TEXT,
                    PRIMARY KEY (run, position), UNIQUE (run, id)) WITHOUT ROWID;
                CREATE TABLE events (
                    run TEXT NOT NULL REFERENCES runs (id), sequence INTEGER NOT NULL, time INTEGER NOT NULL,
                    step TEXT, kind TEXT NOT NULL, message TEXT NOT NULL, details TEXT,
                    PRIMARY KEY (run, sequence)) WITHOUT ROWID;
                CREATE TABLE leases (
                    token INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE REFERENCES runs (id),
                    host TEXT NOT NULL, boot_id TEXT NOT NULL, pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL,
                    expires_at INTEGER NOT NULL);
                CREATE TABLE lease_resources (
                    resource TEXT NOT NULL PRIMARY KEY,
                    token INTEGER NOT NULL REFERENCES leases (token) ON DELETE CASCADE) WITHOUT ROWID;
                CREATE INDEX lease_resources_by_token ON lease_resources (token);
                CREATE TABLE controls (
                    run TEXT NOT NULL PRIMARY KEY REFERENCES runs (id), request TEXT NOT NULL,
                    requested_by TEXT NOT NULL, requested_at INTEGER NOT NULL) WITHOUT ROWID;
                """)
    }

    private static func createObservations(in db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE observations (
                    subject TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL);
                CREATE TABLE durations (
                    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, bytes INTEGER NOT NULL,
                    microseconds INTEGER NOT NULL, at INTEGER NOT NULL);
                CREATE INDEX durations_by_subject ON durations (kind, subject, at, id);
                """)
    }

    private static func createMarks(in db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE marks (
                    name TEXT NOT NULL PRIMARY KEY, restore_set TEXT NOT NULL, sequence INTEGER NOT NULL,
                    created_at INTEGER NOT NULL, value TEXT NOT NULL, UNIQUE (restore_set, sequence));
                CREATE INDEX marks_by_creation ON marks (created_at, sequence);
                CREATE TABLE restore_sets (name TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
                """)
    }

    // The head tells a chain whose end was cut off from one that is whole. The triggers stop slips, not attackers:
    // those are found by the hashes.
    private static func createAudit(in db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE audit (
                    sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
                    subject TEXT NOT NULL, details TEXT, hash TEXT NOT NULL);
                CREATE TABLE audit_head (
                    id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL, hash TEXT NOT NULL);
                INSERT INTO audit_head VALUES (1, 0, '');
                CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
                    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
                CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
                    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
                """)
    }
}
