import ArgumentParser
public import FleetPluginAPI
public import FleetPluginHost
import Glibc
import TerminalUI

/// The `fleet` command with the plugins it is given.
public enum FleetProgram {
    public static let version = "0.1.0"

    /// Carries out this process's command line and ends the process.
    ///
    /// - Parameter servers: makes what asks PostgreSQL servers, given where its passwords come from.
    public static func main(
        registry: PluginRegistry, servers: (@escaping SecretResolver) -> any DatabaseServers
    ) async -> Never {
        Signals.keepWritesHarmless()
        let arguments = Array(CommandLine.arguments.dropFirst())
        let status = await run(arguments, registry: registry, servers: servers(Secrets.resolve))
        await Terminal.flush()
        exit(status)
    }

    /// Carries out a command line; returns the exit status of the process.
    static func run(_ arguments: [String], registry: PluginRegistry, servers: any DatabaseServers) async -> Int32 {
        // What runs once per WAL segment waits for no parser of a whole program.
        if let call = AgentCall(arguments) { return await call.run(registry) }
        do {
            var command = try FleetCommand.parseAsRoot(arguments)
            guard let verb = command as? any FleetVerb else {
                try command.run()
                return ExitStatus.done.rawValue
            }
            return await run(verb, registry, servers).rawValue
        } catch {
            return report(parsing: error).rawValue
        }
    }

    private static func run(
        _ verb: any FleetVerb, _ registry: PluginRegistry, _ servers: any DatabaseServers
    ) async -> ExitStatus {
        let console = Console(verb.global)
        let session = Session(
            registry: registry, servers: servers, configuration: verb.global.config, console: console)
        let status: ExitStatus
        do {
            status = try await verb.run(session)
        } catch {
            status = console.report(error)
        }
        await session.close()
        return status
    }

    /// What the parser says instead of a command: help and versions on standard output, mistakes on standard error.
    private static func report(parsing error: any Error) -> ExitStatus {
        let text = FleetCommand.fullMessage(for: error)
        guard !FleetCommand.exitCode(for: error).isSuccess else {
            Terminal(.output).write(text + "\n")
            return .done
        }
        Terminal(.error).write(MessageText.lowercasedLabel(text) + "\n")
        return .usage
    }
}

/// The parser's messages in the form of ours.
enum MessageText {
    static func lowercasedLabel(_ text: String) -> String {
        text.hasPrefix("Error: ") ? "error: " + text.dropFirst(7) : text
    }
}
