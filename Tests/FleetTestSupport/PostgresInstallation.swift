import FoundationEssentials
import Glibc

/// PostgreSQL's programs on this machine.
public struct PostgresInstallation: Sendable {
    /// Where `postgres`, `initdb`, `pg_ctl` and the tools lie.
    public let binaries: String
    /// Major version, from `postgres --version`.
    public let major: Int
    public var owner: ServerOwner { .current }

    /// The one the tests use: `FLEET_TEST_PGBIN`, else the newest of Debian's, else what `pg_config` says.
    public static func standard() async throws -> PostgresInstallation {
        if let path = ProcessInfo.processInfo.environment["FLEET_TEST_PGBIN"] { return try await at(path) }
        let debian = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
        let newest = versions.compactMap(Int.init).sorted().last {
            access("\(debian)/\($0)/bin/postgres", X_OK) == 0
        }
        if let newest { return try await at("\(debian)/\(newest)/bin") }
        let configured = try await runTool(["pg_config", "--bindir"]).checked().text
        return try await at(String(configured.prefix { !$0.isNewline }))
    }

    /// The one whose programs lie in `binaries`.
    public static func at(_ binaries: String) async throws -> PostgresInstallation {
        let text = try await runTool(["\(binaries)/postgres", "--version"]).checked().text
        guard let number = text.split(separator: " ").first(where: { $0.first?.isNumber == true }),
            let major = Int(number.prefix(while: \.isNumber))
        else { throw FixtureError("\(binaries)/postgres --version said \(text)") }
        return PostgresInstallation(binaries: binaries, major: major)
    }

    public func program(_ name: String) -> String { "\(binaries)/\(name)" }

    /// Runs one of PostgreSQL's programs as the owner of the data directories.
    public func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) async throws -> ToolResult {
        try await runTool(
            owner.argv([program(name)] + arguments), environment: Self.environment(adding: environment), input: input)
    }

    /// This process's environment without PG* variables and with messages in English.
    static func environment(adding extra: [String: String] = [:]) -> [String: String] {
        ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("LC_") && $0.key != "LANG" }
            .merging(["LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "10"]) { $1 }
            .merging(extra) { $1 }
    }
}
