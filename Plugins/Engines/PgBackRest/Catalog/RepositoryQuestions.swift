import FleetPluginAPI

/// What pgBackRest is asked beside the data. Each call is one short process there.
struct RepositoryQuestions: Sendable {
    let program: PgBackRest
    let instance: String
    let ask: EngineContext.Ask
    private let options: RenderedOptions?

    init(_ engine: PgBackRestEngine, _ context: EngineContext) throws {
        guard let ask = context.ask else {
            throw FleetError(
                .unsupported, "pgBackRest of \(context.instance.name) cannot be asked",
                cause: "it runs where the data is, and nobody can run a command there",
                hint: "its platform must support questions beside the data")
        }
        program = engine.program(context)
        options = try engine.rendered(context)
        self.instance = context.instance.name
        self.ask = ask
    }

    func info() async throws -> InfoDocument {
        try InfoDocument(await answer(program.question("info", ["--output=json"]), "the backups"))
    }

    /// The tablespaces of one backup.
    func tablespaces(of label: String, in key: Int) async throws -> [BackupRecord.Tablespace] {
        let options = ["--output=json", "--repo=\(key)", "--set=\(label)"]
        let bytes = try await answer(program.question("info", options), "the backup \(label)")
        let backup = try InfoDocument(bytes).stanza(program.stanza)?.backups.first { $0.label == label }
        guard let backup else {
            throw FleetError(.notFound, "the backup \(label) of \(instance) is listed and cannot be read")
        }
        return (backup.tablespaces ?? []).map { BackupRecord.Tablespace(oid: $0.oid, path: $0.destination) }
    }

    /// Names of the folders in `backup/STANZA`; nil where there is nothing at all.
    func folders(in key: Int, _ path: String) async throws -> Set<String> {
        let bytes = try await answer(
            program.question("repo-ls", ["--output=json", "--repo=\(key)"], path.isEmpty ? [] : [path]),
            path.isEmpty ? "the repository" : path)
        let entries = try JSONText.decode([String: JSONValue].self, bytes, "the listing of \(path)")
        return Set(entries.filter { $0.value["type"]?.string == "path" && $0.key != "." }.keys)
    }

    func archive(_ id: String, in key: Int) async throws -> ArchiveListing {
        let path = "archive/\(program.stanza)/\(id)"
        return try ArchiveListing(
            await answer(
                program.question("repo-ls", ["--output=json", "--recurse", "--repo=\(key)"], [path]), path,
                deadline: .seconds(120)))
    }

    /// A file of the repository, decrypted, as it lies there.
    func file(_ path: String, in key: Int, tool: [String]? = nil) async throws -> [UInt8] {
        var argv = program.question("repo-get", ["--repo=\(key)"], [path])
        if let tool {
            // What the pipe cannot tell of its first program, the content's SHA-1 does.
            argv = ["/bin/sh", "-c", "\"$@\" | \(tool.joined(separator: " "))", "sh"] + argv
        }
        return try await answer(argv, path, deadline: .seconds(120), limit: ArchivedContent.limit)
    }

    private func answer(
        _ argv: [String], _ what: String, deadline: Duration = .seconds(30), limit: Int = 256 << 20
    ) async throws -> [UInt8] {
        let answer = try await ask(
            PlaceQuery(
                argv: argv, environment: options?.environment ?? [:], secrets: options?.secrets ?? [:],
                deadline: deadline, outputLimit: limit))
        guard answer.exitStatus == 0 else {
            throw PgBackRestFailure.error(
                answer.exitStatus, "\(what) of \(instance) cannot be read", said: answer.errors)
        }
        return answer.output
    }
}
