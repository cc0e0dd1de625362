public import FleetPluginAPI
import Synchronization

extension EngineConformance.Bench {
    var repository: String { context.repositories.first?.name ?? engine.ownRepositories.first ?? "" }

    func catalog() async throws -> Catalog {
        try await engine.catalog(context)
    }

    /// The backup that a key makes, as it is listed.
    func backup(_ key: String, _ kind: BackupRecord.Kind = .full) async throws -> BackupRecord {
        try await carryOut(engine.backup(BackupRequest(key: key, kind: kind, repository: repository), context))
        guard let backup = try await catalog().backups.last else {
            throw FixtureError("the backup \(key) is not listed")
        }
        return backup
    }

    /// Ends the current segment and waits until it is in the repository.
    func archiveAll() async throws {
        _ = try await sql("create table if not exists archived (i int); insert into archived values (1)")
        let name = try await sql("select pg_walfile_name(pg_switch_wal())")
        try await waitUntil("\(name) is archived") {
            try await catalog().segments.contains { $0.name.description == name }
        }
    }
}

extension EngineConformance.Place {
    /// A directory of this machine, beside a server of it.
    ///
    /// - Parameter directory: not there yet; the server's owner may make it.
    public static func lend(
        _ directory: String, beside server: PostgresServer, context: EngineContext,
        carryOut: @escaping @Sendable (TaskSpec) async throws -> Void,
        _ body: @Sendable (EngineConformance.Place) async throws -> Void
    ) async throws {
        let running = Mutex<PostgresServer?>(nil)
        let place = EngineConformance.Place(
            dataDirectory: directory, context: context, settings: [:], carryOut: carryOut,
            start: {
                let restored = try await PostgresServer.adopt(
                    dataDirectory: directory, in: server.scratch, installation: server.installation)
                try await restored.start()
                running.withLock { $0 = restored }
            },
            sql: { query in
                guard let server = running.withLock({ $0 }) else { throw FixtureError("no server was started there") }
                return try await server.answer(query)
            })
        do {
            try await body(place)
        } catch {
            try? await running.withLock { $0 }?.stop(.immediate)
            throw error
        }
        try await running.withLock { $0 }?.stop()
    }
}

extension PostgresServer {
    /// The first value of what a query returns; empty where it returns nothing.
    public func answer(_ sql: String) async throws -> String {
        try await query(sql).first?.first.flatMap { $0 } ?? ""
    }
}

extension EngineConformance {
    static func expect(_ holds: Bool, _ what: @autoclosure () -> String) throws {
        guard holds else { throw FixtureError(what()) }
    }

    static func expect(_ codes: FleetError.Code..., what: String, _ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch {
            let found = (error as? FleetError)?.code
            guard let found, codes.contains(found) else {
                throw FixtureError("\(what) is \(error) and not \(codes.map(\.rawValue).joined(separator: " or "))")
            }
            return
        }
        throw FixtureError("\(what) is no error")
    }
}
