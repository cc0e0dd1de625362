public import FleetPluginAPI

/// An external program to be run, as a value: what it is and what it gets, testable without running it.
public struct Command: Sendable {
    /// The program first: an absolute path, or a name that is looked up in `PATH`.
    public var argv: [String]
    public var environment: ProcessEnvironment
    /// Environment variables whose values are secret: they reach the program, and nothing else.
    public var secrets: [String: Secret]
    public var workingDirectory: String?
    /// Run as another user; needs root unless it is the user who asks.
    public var user: UserAccount?
    /// Bytes on standard input; nil: there is nothing to read.
    public var input: [UInt8]?
    /// The program and its process group are ended after this time.
    public var deadline: Duration?
    /// How long the process group has between SIGTERM and SIGKILL when it must end early.
    public var grace: Duration

    public init(
        _ argv: [String], environment: ProcessEnvironment = .minimal, secrets: [String: Secret] = [:],
        workingDirectory: String? = nil, user: UserAccount? = nil, input: [UInt8]? = nil, deadline: Duration? = nil,
        grace: Duration = .seconds(5)
    ) {
        self.argv = argv
        self.environment = environment
        self.secrets = secrets
        self.workingDirectory = workingDirectory
        self.user = user
        self.input = input
        self.deadline = deadline
        self.grace = grace
    }

    /// The program's name without its directory.
    public var name: String {
        argv.first?.split(separator: "/").last.map(String.init) ?? "nothing"
    }
}

extension Command: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The command line as a shell would take it. No environment: variables may be delicate.
    public var description: String {
        argv.map(Self.quoted).joined(separator: " ")
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["argv": argv]) }

    private static func quoted(_ argument: String) -> String {
        let isPlain =
            !argument.isEmpty
            && argument.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_./=:,@%+".utf8.contains(byte)
                }
            }
        guard !isPlain else { return argument }
        return "'" + argument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

extension Command {
    /// `text` without the values of this command's secrets, should the program have printed one.
    func redacted(_ text: String) -> String {
        secrets.values.reduce(text) { text, secret in
            secret.reveal { value in
                value.isEmpty
                    ? text
                    : text.split(separator: value, omittingEmptySubsequences: false).joined(separator: "<secret>")
            }
        }
    }

    /// Refuses what the kernel would cut, and secrets where anybody could read them.
    func validate() throws {
        guard let program = argv.first, !program.isEmpty else { throw FleetError(.usage, "a command has no program") }
        let texts = argv + [workingDirectory].compactMap(\.self)
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw FleetError(.usage, "the command line of \(name) contains a NUL byte")
        }
        for (variable, value) in environment.overrides {
            try Self.validate(variable: variable, value: value ?? "", of: name)
        }
        for (variable, secret) in secrets {
            try secret.reveal { value in
                try Self.validate(variable: variable, value: value, of: name)
                guard value.utf8.count < 4 || !texts.contains(where: { $0.contains(value) }) else {
                    throw FleetError(
                        .refused, "a secret stands in the command line of \(name)",
                        hint: "pass it in the environment or in a file: command lines can be read by every user")
                }
            }
        }
    }

    private static func validate(variable: String, value: String, of name: String) throws {
        let first = variable.utf8.first ?? UInt8(ascii: "0")
        guard !(0x30...0x39).contains(first), !variable.utf8.contains(where: { $0 == UInt8(ascii: "=") || $0 == 0 })
        else { throw FleetError(.usage, "\(variable) cannot be the name of an environment variable of \(name)") }
        guard !value.utf8.contains(0) else {
            throw FleetError(.usage, "the environment variable \(variable) of \(name) contains a NUL byte")
        }
    }
}
