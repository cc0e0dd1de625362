public import FleetPluginAPI

extension PgBackRestEngine {
    /// Finds the stanza that serves an instance, by its system identifier, in pgBackRest's own default configuration.
    public static let finder: EngineFinder = { instance, ask in
        guard let system = instance.systemIdentifier else { return nil }
        let argv = ["pgbackrest", "--log-level-console=off", "--log-level-stderr=error", "--output=json", "info"]
        guard let answer = try? await ask(PlaceQuery(argv: argv)), answer.exitStatus == 0,
            let document = try? InfoDocument(answer.output)
        else { return nil }
        return finding(system, document)
    }

    static func finding(_ system: SystemIdentifier, _ document: InfoDocument) -> EngineFinding? {
        for stanza in document.stanzas {
            // The server that it serves now; before an upgrade it served others.
            let keys = Set(stanza.databases.map(\.repositoryKey)).sorted()
                .filter { stanza.databases(in: $0).last?.systemIdentifier == system }
            guard let first = keys.first else { continue }
            var options: [String: JSONValue] = ["plugin": .string(name), "stanza": .string(stanza.name)]
            if keys != [1] { options["repos"] = .array(keys.map { .string("\($0)") }) }
            let count = stanza.records(in: RepositoryKey(key: first, name: "repo\(first)")).count
            return EngineFinding(
                engine: PluginOptions(options),
                remarks: ["pgBackRest serves it with the stanza \(stanza.name), \(count) backups in repo\(first)"])
        }
        return nil
    }
}
