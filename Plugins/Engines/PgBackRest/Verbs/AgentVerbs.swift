public import FleetPluginAPI

extension PgBackRestEngine {
    /// What `fleet agent` can do for this engine.
    public static var agentVerbs: [AgentVerb] {
        [
            AgentVerb(
                name: PgBackRestVerb.backup, summary: "Make a backup with pgBackRest", usage: "REQUEST",
                run: BackupTask.run),
            AgentVerb(
                name: PgBackRestVerb.restore, summary: "Restore a data directory with pgBackRest", usage: "REQUEST",
                run: RestoreTask.run),
            AgentVerb(
                name: PgBackRestVerb.verify, summary: "Let pgBackRest check its backups and WAL", usage: "REQUEST",
                run: VerifyTask.run),
            AgentVerb(
                name: PgBackRestVerb.expire, summary: "Let pgBackRest remove what fleet's retention does not keep",
                usage: "REQUEST", run: ExpireTask.run),
            AgentVerb(
                name: PgBackRestVerb.push, summary: "Archive a WAL file with pgBackRest (archive_command)",
                usage: "BINARY STANZA DATA %p", run: ArchiveVerbs.push),
            AgentVerb(
                name: PgBackRestVerb.get, summary: "Fetch a WAL file with pgBackRest (restore_command)",
                usage: "BINARY STANZA DATA %f %p", run: ArchiveVerbs.get),
        ]
    }
}

extension AgentContext {
    /// Runs a task's work on its request: what it throws is reported as the task's failure and becomes its exit status.
    func perform<Request: Decodable>(
        _ type: Request.Type, _ arguments: [String], _ work: (Request) async throws -> Void
    ) async -> Int32 {
        do {
            guard let text = arguments.first, arguments.count == 1 else {
                throw FleetError(.usage, "the verb takes one argument: its request as JSON")
            }
            try await work(try JSONText.decode(type, Array(text.utf8), "the request"))
            return 0
        } catch {
            let failure = FleetError(error, "the task failed")
            log(failure.description)
            emit(.failure(failure))
            return failure.code.exitStatus.rawValue
        }
    }
}
