/// A short command to be run where an instance's data is, as its owner. It asks and changes nothing.
public struct PlaceQuery: Hashable, Sendable, Codable {
    /// The program first: an absolute path, or a name that is looked up there.
    public var argv: [String]
    public var environment: [String: String]
    /// Environment variables whose values the platform fetches when it runs the command.
    public var secrets: [String: SecretReference]
    public var deadline: Duration
    /// The most bytes that its standard output may have.
    public var outputLimit: Int

    public init(
        argv: [String], environment: [String: String] = [:], secrets: [String: SecretReference] = [:],
        deadline: Duration = .seconds(30), outputLimit: Int = 64 << 20
    ) {
        self.argv = argv
        self.environment = environment
        self.secrets = secrets
        self.deadline = deadline
        self.outputLimit = outputLimit
    }
}

/// What such a command said.
public struct QueryAnswer: Hashable, Sendable, Codable {
    /// As a shell counts: 128 and the number of the signal when one ended it.
    public var exitStatus: Int32
    public var output: [UInt8]
    /// The end of what it wrote to stderr.
    public var errors: String

    public init(exitStatus: Int32, output: [UInt8], errors: String) {
        self.exitStatus = exitStatus
        self.output = output
        self.errors = errors
    }
}
