public import FleetPluginAPI

extension PgBackRestEngine {
    /// Finds the stanza that serves an instance, by its system identifier: in the configuration that the server's
    /// `archive_command` names, else in pgBackRest's own default one.
    public static let finder: EngineFinder = { instance, ask in
        guard let system = instance.systemIdentifier else { return nil }
        let directory = instance.platform.string("dataDirectory")
        let hint: ArchiveCommandHint? =
            if let directory { await ArchiveCommandHint.read(in: directory, ask) } else { nil }
        let configuration = hint?.configuration
        if let configuration, let finding = await find(system, configuration, ask) { return finding }
        return await find(system, nil, ask)
    }

    private static func find(
        _ system: SystemIdentifier, _ configuration: String?, _ ask: EngineContext.Ask
    ) async -> EngineFinding? {
        let argv =
            ["pgbackrest"] + (configuration.map { ["--config=\($0)"] } ?? [])
            + ["--log-level-console=off", "--log-level-stderr=error", "--output=json", "info"]
        guard let answer = try? await ask(PlaceQuery(argv: argv)), answer.exitStatus == 0,
            let document = try? InfoDocument(answer.output)
        else { return nil }
        var finding = finding(system, document)
        if let configuration { finding?.engine.values["configFile"] = .string(configuration) }
        return finding
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
