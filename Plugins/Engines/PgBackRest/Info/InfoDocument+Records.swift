import FleetPluginAPI

extension InfoDocument.Stanza {
    /// The servers of one repository, oldest first.
    func databases(in key: Int) -> [InfoDocument.Database] {
        databases.filter { $0.repositoryKey == key }.sorted { $0.id < $1.id }
    }

    /// The backups that one repository holds, as fleet knows backups; what is wrong with each is said in it.
    func records(in repository: RepositoryKey) -> [BackupRecord] {
        let servers = Dictionary(databases(in: repository.key).map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        let here = backups.filter { $0.database.repositoryKey == repository.key }
        let labels = Set(here.map(\.label))
        return here.map { backup in
            var record = BackupRecord(
                backup, of: servers[backup.database.id], in: repository.name)
            if record.problem == nil, let missing = record.references.first(where: { !labels.contains($0) }) {
                record.problem = "the backup \(missing), which it builds upon, is missing"
            }
            return record
        }
    }
}

extension BackupRecord {
    init(_ backup: InfoDocument.Backup, of server: InfoDocument.Database?, in repository: String) {
        var problem: String?
        if server == nil { problem = "the stanza does not say which server it is of" }
        if backup.error == true { problem = "pages with wrong checksums were found while it was made" }
        let first = backup.archive.flatMap { WALSegmentName($0.start) }
        if backup.archive == nil { problem = "it was made of a stopped server, without WAL" }
        let lsn = backup.lsn.flatMap { span in LSN(span.start).flatMap { start in LSN(span.stop).map { (start, $0) } } }
        if lsn == nil, problem == nil { problem = "pgBackRest does not say where it begins and ends in WAL" }
        self.init(
            label: backup.label, kind: backup.kind, engine: PgBackRestEngine.name, repository: repository,
            systemIdentifier: server?.systemIdentifier ?? SystemIdentifier(rawValue: 0),
            serverVersion: server?.serverVersion ?? 0, timeline: first?.timeline ?? 1, startLSN: lsn?.0 ?? .zero,
            stopLSN: lsn?.1 ?? .zero, startTime: Timestamp(seconds: backup.timestamp.start),
            stopTime: Timestamp(seconds: backup.timestamp.stop), size: backup.info?.size ?? 0,
            storedSize: backup.info?.repository?.delta ?? backup.info?.repository?.size ?? 0,
            references: backup.reference ?? backup.prior.map { [$0] } ?? [],
            tablespaces: (backup.tablespaces ?? []).map { Tablespace(oid: $0.oid, path: $0.destination) },
            problem: problem)
    }
}

extension Timestamp {
    /// Seconds since 1970; nonsense becomes the end of what can be said.
    init(seconds: Int64) {
        let (microseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
        self.init(microseconds: overflows ? (seconds < 0 ? .min : .max) : microseconds)
    }
}
