import FleetConfig
import FleetPluginAPI
import FleetPluginHost
import TerminalUI

/// `fleet [--config F] agent VERB [--instance I] ARGUMENTS…`, as PostgreSQL and platforms call it.
///
/// Runs once per WAL segment: reads fleet.yaml, makes the instance's repositories and nothing else.
struct AgentCall: Hashable, Sendable {
    var configuration: String?
    var verb: String
    var instance: String?
    var arguments: [String]

    /// What went wrong before a verb had its say. PostgreSQL takes 1 to 125 of a `restore_command` for the end of the
    /// archive and promotes; this ends recovery instead.
    static let fault: Int32 = 200

    /// Nil when it is no such call, or one that asks for help.
    init?(_ words: [String]) {
        var rest = words[...]
        configuration = nil
        while let word = rest.first, word.hasPrefix("-") {
            rest = rest.dropFirst()
            guard let value = Self.value(of: "--config", word, &rest) else { return nil }
            configuration = value
        }
        guard rest.first == "agent", let verb = rest.dropFirst().first, !verb.hasPrefix("-") else { return nil }
        self.verb = verb
        rest = rest.dropFirst(2)
        if let word = rest.first, word == "--instance" || word.hasPrefix("--instance=") {
            rest = rest.dropFirst()
            guard let value = Self.value(of: "--instance", word, &rest) else { return nil }
            instance = value
        }
        arguments = Array(rest)
        if arguments.first == "--help" || arguments.first == "-h" { return nil }
    }

    /// The value of `--name VALUE` or `--name=VALUE`.
    private static func value(of name: String, _ word: String, _ rest: inout ArraySlice<String>) -> String? {
        if word == name { return rest.popFirst() }
        return word.hasPrefix(name + "=") ? String(word.dropFirst(name.count + 1)) : nil
    }

    /// Returns the exit status of the process.
    func run(_ registry: PluginRegistry) async -> Int32 {
        if instance == nil, let hidden = registry.internalVerb(verb) { return await hidden.run(arguments) }
        do {
            let known = registry.agentVerbs
            guard let work = known.first(where: { $0.name == verb }) else {
                throw FleetError(
                    .usage, "fleet agent has no verb \(verb)",
                    hint: "it has: " + known.map(\.name).joined(separator: ", "))
            }
            return await work.run(try context(registry), arguments)
        } catch {
            let failure = (error as? ConfigurationError)?.fleetError ?? FleetError(error, "fleet agent \(verb)")
            Self.emit(.failure(failure))
            Terminal(.error).write(ErrorLines.lines(failure, width: nil))
            return Self.fault
        }
    }

    private func context(_ registry: PluginRegistry) throws -> AgentContext {
        guard let instance else {
            throw FleetError(.usage, "fleet agent \(verb) needs --instance NAME")
        }
        let path = try ConfigurationFile.find(configuration)
        let configuration = try ConfigLoader(descriptors: registry.descriptors).load(path: path)
        guard let declared = configuration.instances[instance] else {
            throw FleetError(
                .notFound, "\(path) declares no instance \(instance)",
                hint: "it declares: " + configuration.instances.keys.sorted().joined(separator: ", "))
        }
        let agent = AgentInvocation(executable: try Executable.path(), configuration: configuration.path)
        let state = ConfigurationFile.folder(of: configuration.state.sqlite)
        let repositories = try declared.repositories.compactMap { name in
            try configuration.repositories[name].map { repository in
                let plugin = PluginContext(
                    name: name, stateDirectory: state, agent: agent, resolve: Secrets.resolve)
                return EngineContext.Repository(
                    name: name,
                    storage: try registry.storage(repository.storage.plugin, plugin, repository.storage.options),
                    plugin: repository.storage.plugin, options: repository.storage.options,
                    secret: repository.secret)
            }
        }
        return AgentContext(
            instance: Instance(
                name: instance, cluster: declared.cluster,
                environment: configuration.clusters[declared.cluster]?.environment ?? "", labels: declared.labels,
                platform: declared.platform, connection: declared.connection),
            repositories: repositories, resolve: Secrets.resolve, emit: { Self.emit($0) },
            log: { Terminal(.error).write(StyledText($0)) })
    }

    private static func emit(_ event: TaskEvent) {
        guard let line = try? TextEncoding.jsonLine(event) else { return }
        Terminal(.output).write(line)
    }
}
