import FleetPluginAPI
import FleetTestSupport
import Foundation

/// The real `fleet` program, with a fleet.yaml and servers of a test's own.
final class FleetFixture: Sendable {
    let scratch: ScratchDirectory
    let servers: [String: PostgresServer]
    let configuration: String
    let repository: String
    /// pgBackRest's own, by instance; empty where another engine works.
    let stanzas: [String: PgBackRestStanza]

    /// What makes the backups of a fixture's instances.
    enum Engine: String, CaseIterable, Sendable, CustomStringConvertible {
        case native, pgbackrest
        /// pgBackRest with a repository of fleet.yaml.
        case rendered

        /// One of each plugin.
        static let allCases: [Engine] = [.native, .pgbackrest]

        var description: String { rawValue }
    }

    /// The binary that was built together with these tests, or the one named by FLEET_TEST_BINARY.
    static let binary: String =
        ProcessInfo.processInfo.environment["FLEET_TEST_BINARY"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("fleet").path

    private init(
        scratch: ScratchDirectory, servers: [String: PostgresServer], stanzas: [String: PgBackRestStanza],
        configuration: String
    ) {
        self.scratch = scratch
        self.servers = servers
        self.stanzas = stanzas
        self.configuration = configuration
        self.repository = scratch.path("repository")
    }

    /// Starts a server for each name, writes fleet.yaml, and makes the servers archive through fleet.
    ///
    /// - Parameters:
    ///   - engineOptions: further options of the engine: `, retention: fleet`.
    ///   - applications: YAML beneath `applications:`, indented by two; `$SCRATCH` stands for the scratch directory.
    ///   - checks: YAML of an instance's `checks:`.
    ///   - passphrase: encrypts the repository.
    ///   - further: YAML at the end of fleet.yaml.
    ///   - engines: of instances that have another one than `engine`.
    ///   - clusters: of instances that are not in `prod`.
    static func make(
        in scratch: ScratchDirectory, instances: [String] = ["orders"], engine: Engine = .native,
        engineOptions: String = "", applications: String = "",
        checks: String = "[]", settings: [String: String] = [:], passphrase: String? = nil, further: String = "",
        engines: [String: Engine] = [:], clusters: [String: String] = [:]
    ) async throws -> FleetFixture {
        var servers: [String: PostgresServer] = [:]
        for name in instances {
            servers[name] = try await PostgresServer.create(
                in: scratch, name: name, PostgresServer.Options(settings: settings, ownSystemIdentifier: true))
        }
        _ = try scratch.directory("repository", owner: ServerOwner.current)
        _ = try scratch.directory("state")
        if let passphrase {
            try scratch.write(passphrase, to: "passphrase")
            try ServerOwner.current.own(scratch.path("passphrase"))
        }
        let encryption = passphrase == nil ? "" : ", encryption: {passphrase: {file: passphrase}}"
        var stanzas: [String: PgBackRestStanza] = [:]
        for (name, server) in servers where engines[name] ?? engine == .pgbackrest {
            stanzas[name] = try PgBackRestStanza(name, of: server, in: scratch)
        }
        let declared = instances.map { name in
            """
              \(name):
                cluster: \(clusters[name] ?? "prod")
                platform: {dataDirectory: \(servers[name]?.dataDirectory ?? "")}
                \(stanzas[name].map { "engine: {plugin: pgbackrest, configFile: \($0.configuration)\(engineOptions)}" }
                    ?? "engine: {plugin: \(engine == .native ? "native" : "pgbackrest")\(engineOptions)}")
                \(stanzas[name] == nil ? "repositories: [local]" : "labels: {keeps: its own}")
                checks: \(checks)
            """
        }
        let text = """
            apiVersion: fleet/v1
            kind: Fleet
            state: {sqlite: state/fleet.db}
            clusters:
              prod: {environment: prod, platform: {plugin: host}}
              dev: {environment: dev, platform: {plugin: host}}
            repositories:
              local: {storage: {plugin: directory, path: repository}\(encryption)}
            instances:
            \(declared.joined(separator: "\n"))
            \(applications.isEmpty ? "" : "applications:\n" + applications.replacingOccurrences(of: "$SCRATCH", with: scratch.path("")))
            \(further)
            """
        let configuration = try scratch.write(text, to: "fleet.yaml")
        let fixture = FleetFixture(
            scratch: scratch, servers: servers, stanzas: stanzas, configuration: configuration)
        for (name, server) in servers {
            try await server.start()
            try await stanzas[name]?.create()
            try await fixture.letArchive(name, server)
        }
        return fixture
    }

    private func letArchive(_ name: String, _ server: PostgresServer) async throws {
        let answer = try await fleet("-o", "json", "instances", "archiving", name).checked()
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(answer.output))
        // Its WAL is received: there is nothing to set.
        if json["slot"]?.string != nil { return }
        guard let command = json["archiveCommand"]?.string else {
            throw FixtureError("no archiveCommand in \(answer.text)")
        }
        try server.configure(["archive_mode": "on", "archive_command": command, "wal_level": "replica"])
        try await server.restart()
    }

    func server(_ name: String = "orders") throws -> PostgresServer {
        guard let server = servers[name] else { throw FixtureError("no server \(name)") }
        return server
    }

    /// Runs `fleet` with this fixture's fleet.yaml.
    func fleet(_ arguments: String..., input: String? = nil) async throws -> ToolResult {
        try await runTool([Self.binary, "--config", configuration] + arguments, input: input)
    }

    func fleet(_ arguments: [String]) async throws -> ToolResult {
        try await runTool([Self.binary, "--config", configuration] + arguments)
    }

    /// Runs `fleet` as somebody else, who became this user by sudo.
    func fleet(as person: String, _ arguments: String...) async throws -> ToolResult {
        try await runTool(["env", "SUDO_USER=\(person)", Self.binary, "--config", configuration] + arguments)
    }

    /// What `fleet` prints on stdout in JSON mode.
    func json(_ arguments: String...) async throws -> JSONValue {
        let result = try await fleet(["-o", "json"] + arguments).checked()
        return try JSONDecoder().decode(JSONValue.self, from: Data(result.output))
    }
}
