import Dispatch
import FleetPluginAPI
import GRDB

/// The state in one SQLite file, for coordinators and commands of one host.
///
/// WAL mode with `synchronous=FULL`: what a call reported as written survives kill -9 and a loss of power. Several
/// processes may use the file at once; a writer waits up to ten seconds for another. Cancelling the calling task does
/// not stop a call: a journal must be writable while a run is being cancelled.
public final class SQLiteStore: StateStore {
    static let busySeconds = 10

    let path: String
    let pool: DatabasePool
    let clock: @Sendable () -> Timestamp

    private init(path: String, pool: DatabasePool, clock: @escaping @Sendable () -> Timestamp) {
        self.path = path
        self.pool = pool
        self.clock = clock
    }

    /// Opens the file; makes it (mode 0600) and its folder (mode 0700) where they are missing, and brings the schema
    /// of an older fleet up to this one's.
    ///
    /// Errors: `.refused` for another program's database, `.corrupted` for what is no database or a damaged one,
    /// `.unsupported` for the schema of a newer fleet, `.denied`, `.exhausted`, `.timedOut`. Another program's file and
    /// one of a newer fleet are left as they are.
    public static func open(path: String) async throws -> SQLiteStore {
        try await open(path: path, clock: { .now })
    }

    /// - Parameter migration: the last one to apply; all of them when nil.
    static func open(
        path: String, upTo migration: String? = nil, clock: @escaping @Sendable () -> Timestamp
    ) async throws -> SQLiteStore {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result { try openBlocking(path: path, upTo: migration, clock: clock) }
                        .mapError { StoreFault.error($0, path: path) as any Error })
            }
        }
    }

    public func close() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async { [pool, path] in
                continuation.resume(
                    with: Result { try pool.close() }.mapError { StoreFault.error($0, path: path) as any Error })
            }
        }
    }

    public var schemaVersion: Int {
        get async throws { try await read { try StateSchema.version(of: $0) } }
    }

    private static func openBlocking(
        path: String, upTo migration: String?, clock: @escaping @Sendable () -> Timestamp
    ) throws -> SQLiteStore {
        try StateFile.create(path)
        return try StateFile.withOpeningLock(path) {
            var configuration = Configuration()
            configuration.label = "fleet state"
            configuration.busyMode = .timeout(Double(busySeconds))
            configuration.maximumReaderCount = 2
            // Before GRDB switches the journal mode: a file that is not ours stays untouched.
            configuration.prepareDatabase { db in
                if !db.configuration.readonly { try refuseForeign(db, path: path) }
            }
            let pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB sets NORMAL with WAL, which may lose the last transactions with the power.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let migrator = StateSchema.migrator
            try migrator.migrate(pool, upTo: migration ?? migrator.migrations.last ?? "")
            return SQLiteStore(path: path, pool: pool, clock: clock)
        }
    }

    private static func refuseForeign(_ db: Database, path: String) throws {
        let marker = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        guard marker != StateSchema.applicationID else {
            guard try StateSchema.migrator.hasBeenSuperseded(db) else { return }
            throw FleetError(
                .unsupported, "the state file \(path) was written by a newer fleet",
                cause: "it has schema \(try StateSchema.version(of: db)); this fleet knows up to"
                    + " \(StateSchema.latestVersion)",
                hint: "use that newer fleet, or name another file under `state` in fleet.yaml")
        }
        // Killed while making the file, fleet leaves an empty one, or one with the migrator's table alone.
        let tables = try String.fetchAll(
            db,
            sql: """
                SELECT name FROM sqlite_master
                WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'grdb_migrations'
                """)
        guard marker == 0, tables.isEmpty else {
            throw FleetError(
                .refused, "\(path) is the database of another program",
                cause: tables.first.map { "it has a table named \($0)" } ?? "its application id is \(marker)",
                hint: "name another file under `state` in fleet.yaml")
        }
    }

    /// Reads in one snapshot.
    func read<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncRead { [path] database in
                continuation.resume(
                    with: Swift.Result { try body(database.get()) }
                        .mapError { StoreFault.error($0, path: path) as any Error })
            }
        }
    }

    /// Writes in one `IMMEDIATE` transaction, rolled back when `body` throws.
    func write<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncWrite(body) { [path] _, result in
                continuation.resume(with: result.mapError { StoreFault.error($0, path: path) as any Error })
            }
        }
    }
}
