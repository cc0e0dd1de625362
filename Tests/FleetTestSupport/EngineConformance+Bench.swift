import FleetPluginAPI

extension EngineConformance.Bench {
    var repository: String { context.repositories.first?.name ?? engine.ownRepositories.first ?? "" }

    func catalog() async throws -> Catalog {
        try await engine.catalog(context)
    }

    /// The backup that a key makes, as it is listed.
    func backup(_ key: String) async throws -> BackupRecord {
        try await carryOut(engine.backup(BackupRequest(key: key, kind: .full, repository: repository), context))
        guard let backup = try await catalog().backups.last else {
            throw FixtureError("the backup \(key) is not listed")
        }
        return backup
    }

    /// Ends the current segment and waits until it is in the repository.
    func archiveAll() async throws {
        try await server.query("create table if not exists archived (i int); insert into archived values (1)")
        let name = try await server.value("select pg_walfile_name(pg_switch_wal())")
        try await waitUntil("\(name) is archived") {
            try await catalog().segments.contains { $0.name.description == name }
        }
    }
}

extension EngineConformance {
    static func expect(_ holds: Bool, _ what: @autoclosure () -> String) throws {
        guard holds else { throw FixtureError(what()) }
    }

    static func expect(_ code: FleetError.Code, _ what: String, _ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch {
            let found = (error as? FleetError)?.code
            guard found == code else { throw FixtureError("\(what) is \(error) and not \(code)") }
            return
        }
        throw FixtureError("\(what) is no error")
    }
}
