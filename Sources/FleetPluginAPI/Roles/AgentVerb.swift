/// A subcommand of `fleet agent` that a plugin brings along: what runs beside the data.
public struct AgentVerb: Sendable {
    public var name: String
    /// One sentence for the help.
    public var summary: String
    /// The arguments after `--instance NAME`, for the help: `%f %p`.
    public var usage: String
    /// Does the work; returns the exit status of the process.
    public var run: @Sendable (AgentContext, [String]) async -> Int32

    public init(
        name: String, summary: String, usage: String,
        run: @escaping @Sendable (AgentContext, [String]) async -> Int32
    ) {
        self.name = name
        self.summary = summary
        self.usage = usage
        self.run = run
    }
}

/// What an agent verb works with.
public struct AgentContext: Sendable {
    public var instance: Instance
    public var repositories: [EngineContext.Repository]
    public var resolve: SecretResolver
    /// Tells whoever follows the task: a line of JSON on stdout.
    public var emit: @Sendable (TaskEvent) -> Void
    /// A line for people on stderr, which PostgreSQL puts into its log.
    public var log: @Sendable (String) -> Void

    public init(
        instance: Instance, repositories: [EngineContext.Repository], resolve: @escaping SecretResolver,
        emit: @escaping @Sendable (TaskEvent) -> Void, log: @escaping @Sendable (String) -> Void
    ) {
        self.instance = instance
        self.repositories = repositories
        self.resolve = resolve
        self.emit = emit
        self.log = log
    }
}
