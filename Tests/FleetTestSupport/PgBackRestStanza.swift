import FoundationEssentials

/// A pgBackRest configuration with one stanza and one repository of a test's own, as a team would have them.
public struct PgBackRestStanza: Sendable {
    public let name: String
    public let configuration: String
    /// The directory of repo1.
    public let repository: String
    private let owner: ServerOwner

    /// Writes the configuration; the stanza itself is made by `create`, once the server archives.
    ///
    /// - Parameters:
    ///   - global: further lines of `[global]`.
    ///   - repository: where repo1 is put; below the scratch directory without it.
    public init(
        _ name: String, of server: PostgresServer, in scratch: ScratchDirectory, global: [String] = []
    ) throws {
        self.name = name
        owner = server.installation.owner
        let directory = try scratch.directory("pgbackrest-\(name)", owner: owner)
        repository = "\(directory)/repository"
        for folder in ["repository", "log", "lock", "spool"] {
            try scratch.directory("pgbackrest-\(name)/\(folder)", mode: 0o750, owner: owner)
        }
        configuration = try scratch.write(
            """
            [global]
            repo1-path=\(repository)
            log-path=\(directory)/log
            lock-path=\(directory)/lock
            spool-path=\(directory)/spool
            start-fast=y
            archive-timeout=30
            \(global.joined(separator: "\n"))

            [\(name)]
            pg1-path=\(server.dataDirectory)
            pg1-port=\(server.port)
            pg1-socket-path=\(server.socketDirectory)

            """, to: "pgbackrest-\(name)/pgbackrest.conf")
    }

    /// Runs pgBackRest as the owner of the server.
    public func run(_ arguments: String...) async throws -> ToolResult {
        try await runTool(
            owner.argv(["pgbackrest", "--config=\(configuration)", "--stanza=\(name)"] + arguments), directory: "/")
    }

    public func create() async throws {
        try await run("stanza-create").checked()
    }

    /// Paths of the archived files whose names begin so, below the repository.
    public func archived(_ prefix: String) -> [String] {
        let archive = "archive/\(name)"
        let all = (try? FileManager.default.subpathsOfDirectory(atPath: "\(repository)/\(archive)")) ?? []
        // What is not whole yet has another ending.
        let found = all.filter { path in
            path.split(separator: "/").last?.hasPrefix(prefix) == true && !path.hasSuffix(".tmp")
        }
        return found.map { "\(archive)/\($0)" }.sorted()
    }
}
