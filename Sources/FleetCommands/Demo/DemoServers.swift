import DurableFiles
import FleetCoordinator
import FleetPluginAPI
import ProcessRunner

/// Makes and asks the demo's PostgreSQL servers with PostgreSQL's own programs.
struct DemoServers: Sendable {
    /// Each server listens on a Unix socket in a directory of its own and on nothing else, so the number clashes
    /// with nobody's.
    static let port = 5432

    let layout: DemoLayout
    let coordinator: Coordinator

    /// A new server that archives through fleet, with a database `shop` of a few thousand orders.
    func make(_ environment: String) async throws {
        let instance = try coordinator.inventory.instance("shop-\(environment)")
        let home = layout.home(environment)
        let owner = FileOwner(user: layout.owner.userID, group: layout.owner.groupID)
        for directory in [home, layout.sockets(environment)] {
            try BlockingDisk.makeDirectories(directory, owner: owner)
        }
        _ = try await run(
            "initdb",
            [
                "--pgdata", layout.data(environment), "--username", "postgres", "--auth", "trust", "--data-checksums",
                "--encoding", "UTF8", "--locale", "C",
            ])
        let archive = try await coordinator.inventory.archiveCommands(of: instance).archive
        let settings = """

            # fleet demo
            listen_addresses = ''
            port = \(Self.port)
            unix_socket_directories = '\(layout.sockets(environment))'
            wal_level = replica
            archive_mode = on
            archive_command = '\(archive.replacing("'", with: "''"))'
            archive_timeout = 30s
            logging_collector = on
            log_directory = '\(home)/log'
            shared_buffers = 64MB
            """
        try BlockingDisk.append(Array(settings.utf8), to: "\(layout.data(environment))/postgresql.conf")
        try await coordinator.inventory.platform(of: instance).start(instance, deadline: .seconds(60))
        try await query(environment, database: "postgres", "create role shop login")
        try await query(environment, database: "postgres", "create database shop owner shop")
        try await query(
            environment,
            """
            create table orders (
                id bigint generated always as identity primary key, customer integer not null,
                amount numeric(10,2) not null, ordered_at timestamptz not null default clock_timestamp());
            alter table orders owner to shop;
            insert into orders (customer, amount, ordered_at)
                select n % 1000, (n % 9000) / 100.0, clock_timestamp() - (5000 - n) * interval '1 minute'
                from generate_series(1, 5000) n;
            """)
        let application = "\(home)/shop-web"
        let script = DemoApplication.script(
            binDirectory: layout.binDirectory, sockets: layout.sockets(environment), port: Self.port)
        try BlockingDisk.write(Array(script.utf8), to: application, WriteOptions(mode: 0o755, owner: owner))
    }

    /// One value, asked with psql as the demo's superuser.
    @discardableResult
    func query(_ environment: String, database: String = "shop", _ sql: String) async throws -> String {
        try await run(
            "psql",
            [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", layout.sockets(environment), "-p",
                "\(Self.port)",
                "-U", "postgres", "-d", database, "-c", sql,
            ])
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> String {
        let command = Command(
            ["\(layout.binDirectory)/\(program)"] + arguments, environment: .inherited.adding(["LC_ALL": "C"]),
            workingDirectory: "/", user: layout.owner, deadline: .seconds(120))
        return try await command.checked().outputText.split(separator: "\n").joined(separator: "\n")
    }
}
