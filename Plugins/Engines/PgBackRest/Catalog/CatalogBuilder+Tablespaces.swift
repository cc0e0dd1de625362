import FleetPluginAPI

extension CatalogBuilder {
    /// Where the tablespaces of each backup were: `info` says it of one backup at a time.
    mutating func addTablespaces() async throws {
        let repositories = Dictionary(
            readings.map { ($0.repository.name, $0.repository.key) }, uniquingKeysWith: { first, _ in first })
        func key(_ backup: BackupRecord) -> String { "backup:\(backup.repository)/\(backup.label)" }
        keys.formUnion(catalog.backups.map(key))
        let known = try await memory.facts(catalog.backups.map(key))
        let unknown = catalog.backups.indices.filter { index in
            if let fact = known[key(catalog.backups[index])] {
                catalog.backups[index].tablespaces = fact.tablespaces ?? []
                return false
            }
            return catalog.backups[index].problem == nil
        }
        let asked = unknown.map { (index: $0, backup: catalog.backups[$0]) }
        let answers = try await Work.concurrently(asked) { [questions] asked in
            let repository = repositories[asked.backup.repository] ?? 1
            return (asked.index, await Self.tablespaces(asked.backup.label, repository, questions))
        }
        var facts: [CatalogMemory.Fact] = []
        for (index, answer) in answers {
            switch answer {
            case .success(let tablespaces):
                catalog.backups[index].tablespaces = tablespaces
                facts.append(.init(key: key(catalog.backups[index]), tablespaces: tablespaces))
            case .failure(let error):
                catalog.backups[index].problem = "its manifest cannot be read"
                add(error, catalog.backups[index].label)
            }
        }
        await memory.add(facts)
    }

    private static func tablespaces(
        _ label: String, _ repository: Int, _ questions: RepositoryQuestions
    ) async -> Result<[BackupRecord.Tablespace], FleetError> {
        do {
            do {
                return .success(try await questions.tablespaces(of: label, in: repository))
            } catch let error as FleetError where error.code == .configuration {
                // Versions whose `info --set` writes no JSON: the manifest says it as well.
                let path = "backup/\(questions.program.stanza)/\(label)/backup.manifest"
                return .success(ManifestTargets.tablespaces(try await questions.file(path, in: repository)))
            }
        } catch {
            return .failure(FleetError(error, "the backup \(label) cannot be read"))
        }
    }
}
