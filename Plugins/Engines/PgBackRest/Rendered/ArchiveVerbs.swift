import FleetPluginAPI
import ProcessRunner

/// `fleet agent pgbackrest-archive-push BINARY STANZA DATA %p` and `… pgbackrest-archive-get BINARY STANZA DATA %f %p`:
/// pgBackRest with the repositories of fleet.yaml, whose secrets are fetched here.
enum ArchiveVerbs {
    @Sendable static func push(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await run("archive-push", context, arguments)
    }

    /// PostgreSQL takes exit statuses 1 to 125 for "the archive ends here" and promotes: only 1 is let through.
    @Sendable static func get(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        let status = await run("archive-get", context, arguments)
        return status == 0 || status == 1 || status > 125 ? status : Int32(RestoreCommand.fault)
    }

    private static func run(_ command: String, _ context: AgentContext, _ arguments: [String]) async -> Int32 {
        do {
            guard arguments.count >= 4 else {
                throw FleetError(
                    .usage, "the verb takes the program, the stanza, the data directory and PostgreSQL's words")
            }
            var program = PgBackRest(binary: arguments[0], configuration: nil, stanza: arguments[1])
            program.hasNoFile = true
            let options = try RenderedOptions(context.repositories)
            // Relative to the data directory, in which PostgreSQL calls it.
            let process = Command(
                program.argv(command, ["--pg1-path=\(arguments[2])"], Array(arguments[3...])),
                environment: ProcessEnvironment.inherited.adding(options.environment),
                secrets: try await options.secrets.resolved(context.resolve))
            let status = try await process.stream { line in if !line.text.isEmpty { context.log(line.text) } }
            return status.shellCode
        } catch {
            context.log(FleetError(error, "fleet agent pgbackrest-\(command)").description)
            return Int32(RestoreCommand.fault)
        }
    }
}
