public import FleetPluginAPI

/// One mistake in fleet.yaml.
public struct Diagnostic: Hashable, Sendable, Codable {
    /// The file as it was named to the loader.
    public var file: String
    /// From 1; 0 when the mistake has no place in the file.
    public var line: Int
    /// In characters, from 1; 0 as for `line`.
    public var column: Int
    /// Where in the document: `instances.orders.checks[0].sql`; empty for the document itself.
    public var path: String
    /// What is wrong. Never holds a secret.
    public var message: String
    /// What to write instead.
    public var hint: String?

    public init(file: String, line: Int, column: Int, path: String, message: String, hint: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
        self.hint = hint
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `fleet.yaml:12:5: instances.orders.policy: there is no policy gld (did you mean gold?)`
    public var description: String {
        "\(file):\(line):\(column): " + (path.isEmpty ? "" : "\(path): ") + message + (hint.map { " (\($0))" } ?? "")
    }
}

/// Everything that is wrong with a fleet.yaml, in the order of the file.
public struct ConfigurationError: Error, Hashable, Sendable {
    public var file: String
    /// Never empty.
    public var diagnostics: [Diagnostic]

    public init(file: String, diagnostics: [Diagnostic]) {
        self.file = file
        self.diagnostics = diagnostics
    }

    /// The same as one error: code `configuration`, the mistakes line by line as its cause.
    public var fleetError: FleetError {
        let count = diagnostics.count == 1 ? "a mistake" : "\(diagnostics.count) mistakes"
        return FleetError(
            .configuration, "\(file) has \(count)", cause: diagnostics.map(\.description).joined(separator: "\n"))
    }
}

extension ConfigurationError: CustomStringConvertible {
    public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
