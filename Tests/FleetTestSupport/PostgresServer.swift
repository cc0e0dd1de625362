import FoundationEssentials
import Glibc
import Synchronization

/// A real PostgreSQL server of a test's own, on 127.0.0.1 and a Unix socket.
///
/// It dies with the test process. `stop` also stops a server that someone else started in the same data directory
/// (a platform under test, say): it goes by `postmaster.pid`.
public final class PostgresServer: Sendable {
    public struct Options: Sendable {
        /// Lines of postgresql.conf, values unquoted: `["archive_mode": "on"]`. They override the fixture's own.
        public var settings: [String: String]
        public var checksums: Bool
        /// `--wal-segsize`: 1, 2, 4 … 1024 MiB.
        public var segmentMegabytes: Int
        /// Whole lines of pg_hba.conf instead of "trust for all".
        public var hba: [String]?
        /// Servers share a system identifier, being copies of one template, unless they ask for their own (0.6 s).
        public var ownSystemIdentifier: Bool
        /// Whether `withPostgres` starts the server before it calls its body.
        public var starts: Bool
        /// Programs to use; nil for `PostgresInstallation.standard()`.
        public var installation: PostgresInstallation?

        public init(
            settings: [String: String] = [:], checksums: Bool = true, segmentMegabytes: Int = 16,
            hba: [String]? = nil, ownSystemIdentifier: Bool = false, starts: Bool = true,
            installation: PostgresInstallation? = nil
        ) {
            self.settings = settings
            self.checksums = checksums
            self.segmentMegabytes = segmentMegabytes
            self.hba = hba
            self.ownSystemIdentifier = ownSystemIdentifier
            self.starts = starts
            self.installation = installation
        }
    }

    public let installation: PostgresInstallation
    public let scratch: ScratchDirectory
    public let dataDirectory: String
    public let port: Int
    /// `host` for libpq. TCP connections go to `127.0.0.1`.
    public let socketDirectory: String
    /// What the server wrote to standard error.
    public let logFile: String
    /// `-c name=value` on the server's command line; strongest of all settings.
    let commandLine: [String: String]
    let child = Mutex<ChildProcess?>(nil)

    /// Superuser of every fixture server; no password unless `hba` asks for one.
    public let user = "postgres"

    init(
        installation: PostgresInstallation, scratch: ScratchDirectory, dataDirectory: String, port: Int,
        commandLine: [String: String]
    ) throws {
        self.installation = installation
        self.scratch = scratch
        self.dataDirectory = dataDirectory
        self.port = port
        self.commandLine = commandLine
        let id = UInt32.random(in: .min ... .max)
        socketDirectory = try scratch.directory("k\(String(id, radix: 36))", mode: 0o777)
        logFile = scratch.path("server-\(port).log")
        try scratch.write("", to: "server-\(port).log")
        try installation.owner.own(logFile)
        scratch.onCleanUp { [self] in await stopForGood() }
    }

    /// Creates a data directory in `scratch`. The server is not started. Stopped when `scratch` is cleaned up.
    public static func create(
        in scratch: ScratchDirectory, name: String = "data", _ options: Options = Options()
    ) async throws -> PostgresServer {
        let installation: PostgresInstallation =
            if let given = options.installation { given } else { try await .standard() }
        // The parent is the owner's, so that initdb and restores may create and rename in it.
        let parent = try scratch.directory("\(name).d", owner: installation.owner)
        let data = "\(parent)/\(name)"
        try await DataDirectoryTemplates.shared.create(
            data, with: installation, checksums: options.checksums, segmentMegabytes: options.segmentMegabytes,
            own: options.ownSystemIdentifier)
        let server = try PostgresServer(
            installation: installation, scratch: scratch, dataDirectory: data, port: FreePort.next(), commandLine: [:])
        try server.configure(server.baseSettings.merging(options.settings) { $1 })
        if let hba = options.hba {
            let text = hba.map { "\($0)\n" }.joined()
            try text.write(toFile: "\(data)/pg_hba.conf", atomically: false, encoding: .utf8)
        }
        return server
    }

    /// A server on a data directory that somebody else wrote, a restore for instance: port, socket directory and
    /// `settings` go on the command line and the files stay as they are. Not started.
    public static func adopt(
        dataDirectory: String, in scratch: ScratchDirectory, settings: [String: String] = [:],
        installation: PostgresInstallation? = nil
    ) async throws -> PostgresServer {
        let installation: PostgresInstallation =
            if let installation { installation } else { try await .standard() }
        return try PostgresServer(
            installation: installation, scratch: scratch, dataDirectory: dataDirectory, port: FreePort.next(),
            commandLine: settings)
    }

    var baseSettings: [String: String] {
        [
            "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": socketDirectory,
            // The machine does not lose power during a test; a killed server keeps what it gave to the kernel.
            "fsync": "off", "shared_buffers": "16MB", "max_connections": "40", "wal_level": "replica",
            "max_wal_senders": "8", "timezone": "UTC", "log_timezone": "UTC", "log_line_prefix": "%m [%p] ",
            "max_prepared_transactions": "8", "lc_messages": "C",
        ]
    }

    /// Appends settings to postgresql.conf; a running server sees them after `reload` or a restart.
    public func configure(_ settings: [String: String]) throws {
        let lines = settings.sorted { $0.key < $1.key }
            .map { "\($0.key) = '\($0.value.replacing("'", with: "''"))'\n" }.joined()
        let path = "\(dataDirectory)/postgresql.conf"
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0 else { throw FixtureError("cannot open \(path)") }
        defer { close(file) }
        guard write(file, lines, lines.utf8.count) == lines.utf8.count else {
            throw FixtureError("cannot write \(path)")
        }
    }
}

/// Lends a real server; stops and removes it however `body` ends.
public func withPostgres<Result>(
    _ options: PostgresServer.Options = .init(), _ body: (PostgresServer) async throws -> Result
) async throws -> Result {
    try await withScratch { scratch in
        let server = try await PostgresServer.create(in: scratch, options)
        if options.starts { try await server.start() }
        return try await body(server)
    }
}
