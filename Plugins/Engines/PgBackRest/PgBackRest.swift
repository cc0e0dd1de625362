import FleetPluginAPI
import PostgresFormats

/// The program and the stanza it works on: every command line of pgBackRest's is made here.
struct PgBackRest: Hashable, Sendable, Codable {
    var binary: String
    /// Nil for pgBackRest's own default place.
    var configuration: String?
    var stanza: String
    /// Everything is in its environment; what the machine has for configuration does not count.
    var hasNoFile = false

    init(binary: String, configuration: String?, stanza: String) {
        self.binary = binary
        self.configuration = configuration
        self.stanza = stanza
    }

    /// `pgbackrest --config=… --stanza=… OPTIONS COMMAND ARGUMENTS`
    func argv(_ command: String, _ options: [String] = [], _ arguments: [String] = []) -> [String] {
        let file = hasNoFile ? ["--no-config"] : configuration.map { ["--config=\($0)"] } ?? []
        return [binary] + file + ["--stanza=\(stanza)"] + options + [command] + arguments
    }

    /// A question about one repository: its answer alone goes to stdout, errors to stderr.
    func question(_ command: String, _ options: [String] = [], _ arguments: [String] = []) -> [String] {
        argv(command, ["--log-level-console=off", "--log-level-stderr=error"] + options, arguments)
    }

    /// The same as a shell has it, for PostgreSQL's settings.
    func shell(_ command: String, _ options: [String], placeholders: String) -> String {
        ShellWord.command(argv(command, options), placeholders: placeholders)
    }

    /// - Throws: `configuration` for a stanza that could be anything else on a command line or in a path.
    func check() throws {
        let isPlain = stanza.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-_.".utf8.contains(byte)
        }
        guard isPlain, let first = stanza.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: ".") else {
            throw FleetError(
                .configuration, "\(stanza) cannot be the name of a stanza",
                hint: "letters, digits, - _ and ., and no - or . first")
        }
    }
}

/// pgBackRest's own version: `2.45`.
struct PgBackRestVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    var major: Int
    var minor: Int

    init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// From what `pgbackrest version` says: `pgBackRest 2.45`, `pgBackRest 2.55.1`, `pgBackRest 2.46dev`.
    init?(output: String) {
        guard let word = output.split(whereSeparator: \.isWhitespace).last else { return nil }
        let parts = word.split(separator: ".")
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix(while: \.isNumber)) else {
            return nil
        }
        self.init(major, minor)
    }

    static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }

    var description: String { "\(major).\(minor)" }

    /// `--annotation` of backups came with 2.41.
    var knowsAnnotations: Bool { self >= Self(2, 41) }
}
