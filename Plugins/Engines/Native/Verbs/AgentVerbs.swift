public import FleetPluginAPI

extension NativeEngine {
    /// What `fleet agent` can do for this engine.
    public static var agentVerbs: [AgentVerb] {
        [
            AgentVerb(name: "backup", summary: "Make a base backup", usage: "REQUEST", run: BackupTask.run),
            AgentVerb(name: "restore", summary: "Restore a data directory", usage: "REQUEST", run: RestoreTask.run),
            AgentVerb(name: "verify", summary: "Check backups and WAL", usage: "REQUEST", run: VerifyTask.run),
            AgentVerb(
                name: "expire", summary: "Remove backups and WAL that are no longer kept", usage: "REQUEST",
                run: ExpireTask.run),
            AgentVerb(
                name: "copy", summary: "Bring backups and WAL to another repository", usage: "REQUEST",
                run: CopyTask.run),
            AgentVerb(
                name: "repair", summary: "Mend what is damaged from other repositories, and say what is lost",
                usage: "REQUEST", run: RepairTask.run),
            AgentVerb(
                name: "wal-push", summary: "Archive a WAL file (archive_command)", usage: "%p", run: WALPush.run),
            AgentVerb(
                name: "wal-get", summary: "Fetch a WAL file (restore_command)", usage: "%f %p", run: WALGet.run),
            AgentVerb(
                name: "passphrase", summary: "Let another passphrase or key open an encrypted repository",
                usage: "REPOSITORY FILE [--key] [--only]", run: PassphraseChange.run),
            AgentVerb(
                name: "admit", summary: "Let the server with this system identifier write to the repositories",
                usage: "SYSTEM-IDENTIFIER", run: Admission.run),
        ]
    }
}

extension AgentContext {
    /// Runs a task's work: what it throws is reported as the task's failure and becomes its exit status.
    func perform(_ work: (AgentContext) async throws -> Int32) async -> Int32 {
        do {
            return try await work(self)
        } catch {
            let failure = FleetError(error, "the task failed")
            log(failure.description)
            emit(.failure(failure))
            return failure.code.exitStatus.rawValue
        }
    }

    /// The one argument of a task: a JSON document.
    func request<Request: Decodable>(_ type: Request.Type, _ arguments: [String]) throws -> Request {
        guard let text = arguments.first, arguments.count == 1 else {
            throw FleetError(.usage, "the verb takes one argument: its request as JSON")
        }
        do {
            return try JSONText.decode(type, Array(text.utf8), "the request")
        } catch let error as FleetError {
            throw FleetError(.usage, error.message, cause: error.cause)
        }
    }

    /// - Throws: `configuration` when fleet.yaml gives the instance no repository of that name.
    func repository(_ name: String) throws -> EngineContext.Repository {
        guard let repository = repositories.first(where: { $0.name == name }) else {
            throw FleetError(.configuration, "the instance \(instance.name) has no repository \(name)")
        }
        return repository
    }
}

extension JSONValue {
    /// What the value looks like as JSON.
    init(encoding value: some Encodable) throws {
        self = try JSONText.decode(JSONValue.self, JSONText.encode(value), "a result")
    }
}
