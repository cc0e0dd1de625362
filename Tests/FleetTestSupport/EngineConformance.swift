public import FleetPluginAPI

/// What every engine must do. A suite runs each case on a repository and a running, archiving server of its own:
/// `@Test(arguments: EngineConformance.cases) func conforms(_ rule: EngineConformance.Rule) …`
public enum EngineConformance {
    public typealias Ask = @Sendable (String) async throws -> String

    /// An engine with everything around it that a coordinator would supply.
    public struct Bench: Sendable {
        public var engine: any Engine
        /// Its only repository, one of fleet.yaml or the engine's own, is empty and not made yet.
        public var context: EngineContext
        /// Asks the server, which archives into the repository through the engine.
        public var sql: Ask
        /// Runs a task beside the server's data to its end; throws what it failed with.
        public var carryOut: @Sendable (TaskSpec) async throws -> Void
        /// Lends a place beside the server.
        public var withPlace: @Sendable (@Sendable (Place) async throws -> Void) async throws -> Void
        /// Makes the repository unreachable, or reachable again.
        public var setReachable: @Sendable (Bool) async throws -> Void

        public init(
            engine: any Engine, context: EngineContext, sql: @escaping Ask,
            carryOut: @escaping @Sendable (TaskSpec) async throws -> Void,
            withPlace: @escaping @Sendable (@Sendable (Place) async throws -> Void) async throws -> Void,
            setReachable: @escaping @Sendable (Bool) async throws -> Void
        ) {
            self.engine = engine
            self.context = context
            self.sql = sql
            self.carryOut = carryOut
            self.withPlace = withPlace
            self.setReachable = setReachable
        }
    }

    /// Where a server can be restored to, and run, without touching the first.
    public struct Place: Sendable {
        public var dataDirectory: String
        /// For work there.
        public var context: EngineContext
        /// What a server there needs in its configuration.
        public var settings: [String: String]
        public var carryOut: @Sendable (TaskSpec) async throws -> Void
        /// Starts the server of the data there; it is stopped when the place is given back.
        public var start: @Sendable () async throws -> Void
        public var sql: Ask

        public init(
            dataDirectory: String, context: EngineContext, settings: [String: String],
            carryOut: @escaping @Sendable (TaskSpec) async throws -> Void,
            start: @escaping @Sendable () async throws -> Void, sql: @escaping Ask
        ) {
            self.dataDirectory = dataDirectory
            self.context = context
            self.settings = settings
            self.carryOut = carryOut
            self.start = start
            self.sql = sql
        }
    }

    public struct Rule: Sendable, CustomStringConvertible {
        public let description: String
        public var check: @Sendable (Bench) async throws -> Void
    }

    public static let cases: [Rule] = [
        Rule(description: "a backup is listed with what it is, once", check: backupIsListed),
        Rule(description: "every kind that it names is made and says what it needs", check: kinds),
        Rule(description: "archived WAL is listed in order and can be read", check: walIsReadable),
        Rule(description: "a restore stops at its target and waits there", check: restoreStops),
        Rule(description: "an expiry keeps what it must and a dry run everything", check: expiry),
        Rule(description: "what cannot be reached is unavailable, never empty", check: unreachable),
        Rule(description: "tasks and commands are fit to be run", check: descriptions),
    ]

    private static func backupIsListed(_ bench: Bench) async throws {
        let backup = try await bench.backup("first")
        try expect(backup.kind == .full && backup.repository == bench.repository, "it is listed as \(backup)")
        try expect(backup.startLSN < backup.stopLSN && backup.startTime <= backup.stopTime, "it is listed as \(backup)")
        try expect(backup.size > 0 && backup.storedSize > 0 && backup.problem == nil, "it is listed as \(backup)")
        let identifier = try await bench.sql("select system_identifier from pg_control_system()")
        try expect(backup.systemIdentifier.description == identifier, "it is listed for \(backup.systemIdentifier)")
        let current = try await bench.sql("select pg_current_wal_lsn()")
        try expect(LSN(current).map { backup.stopLSN <= $0 } ?? false, "it stops at \(backup.stopLSN) after \(current)")
        try await bench.carryOut(
            bench.engine.backup(.init(key: "first", kind: .full, repository: bench.repository), bench.context))
        let labels = try await bench.catalog().backups.map(\.label)
        try expect(labels == [backup.label], "a second run under the key made \(labels)")
        try await bench.carryOut(
            bench.engine.verify(.init(key: "verify", backups: [], repository: bench.repository), bench.context))
    }

    private static func kinds(_ bench: Bench) async throws {
        let first = try await bench.backup("early", bench.engine.capabilities.backupKinds.last ?? .full)
        try expect(first.kind == .full, "with nothing to build upon a \(first.kind) was made")
        let full = try await bench.backup("full")
        try expect(full.references.isEmpty, "the full one needs \(full.references)")
        for kind in bench.engine.capabilities.backupKinds where kind != .full {
            let made = try await bench.backup("\(kind)", kind)
            try expect(made.kind == kind && made.references.contains(full.label), "\(kind) is listed as \(made)")
            try expect(!made.references.contains(first.label), "\(kind) needs what is older: \(made)")
            try expect(made.size > full.size / 2 && made.storedSize < full.storedSize / 2, "\(kind) is \(made)")
        }
        try await bench.carryOut(
            bench.engine.verify(.init(key: "verify", backups: [], repository: bench.repository), bench.context))
    }

    private static func walIsReadable(_ bench: Bench) async throws {
        let backup = try await bench.backup("first")
        try await bench.archiveAll()
        try await bench.archiveAll()
        let catalog = try await bench.catalog()
        let names = catalog.segments.map(\.name)
        try expect(names == names.sorted() && Set(names).count == names.count, "the segments are \(names)")
        try expect(catalog.timelines.contains { $0.timeline == 1 }, "timeline 1 is not listed")
        guard let size = catalog.segmentSize else { throw FixtureError("the segment size is not known") }
        let first = WALSegmentName(timeline: 1, containing: backup.startLSN, segmentSize: size)
        try expect(names.contains(first), "\(first), where the backup begins, is not listed")
        for name in names {
            let bytes = try await bench.engine.segment(name, bench.context)
            try expect(UInt64(bytes.count) == size, "\(name) has \(bytes.count) bytes")
        }
        let beyond = WALSegmentName(timeline: 1, number: 1 << 20, segmentSize: size)
        try await expect(.notFound, what: "a segment that is not archived") {
            _ = try await bench.engine.segment(beyond, bench.context)
        }
    }

    private static func restoreStops(_ bench: Bench) async throws {
        _ = try await bench.sql("create table t (i int)")
        let backup = try await bench.backup("first")
        _ = try await bench.sql("insert into t values (1)")
        _ = try await bench.sql("select pg_create_restore_point('here')")
        _ = try await bench.sql("insert into t values (2)")
        try await bench.archiveAll()
        try await bench.withPlace { place in
            let request = RestoreRequest(
                key: "restore", backup: backup, dataDirectory: place.dataDirectory, mode: .empty,
                recovery: .init(stop: .name("here"), timeline: 1, archivingOff: true, settings: place.settings))
            try await place.carryOut(bench.engine.restore(request, place.context))
            try await place.start()
            try await waitUntil("recovery is paused") {
                try await place.sql("select pg_get_wal_replay_pause_state()") == "paused"
            }
            let rows = try await place.sql("select string_agg(i::text, ' ') from t")
            try expect(rows == "1", "it did not stop at its target: \(rows)")
            let archiving = try await place.sql("show archive_mode")
            try expect(archiving == "off", "a copy archives into its source's repository")
        }
    }

    private static func expiry(_ bench: Bench) async throws {
        func expire(_ key: String, keep: Int, dryRun: Bool) async throws -> [String] {
            let request = ExpireRequest(
                key: key, repository: bench.repository, retention: Retention(full: keep), isDryRun: dryRun)
            try await bench.carryOut(bench.engine.expire(request, bench.context))
            return try await bench.catalog().backups.map(\.label)
        }
        let first = try await bench.backup("first").label
        let second = try await bench.backup("second").label
        try expect(try await expire("a", keep: 1, dryRun: true) == [first, second], "a dry run removed something")
        try expect(try await expire("b", keep: 2, dryRun: false) == [first, second], "too much was removed")
        try expect(try await expire("c", keep: 1, dryRun: false) == [second], "not the oldest was removed")
        try expect(try await expire("d", keep: 1, dryRun: false) == [second], "the last backup was removed")
        try await bench.carryOut(
            bench.engine.verify(.init(key: "verify", backups: [second], repository: bench.repository), bench.context))
    }

    private static func unreachable(_ bench: Bench) async throws {
        let backup = try await bench.backup("first")
        try await bench.setReachable(false)
        try await expect(.unavailable, what: "a catalog") { _ = try await bench.catalog() }
        let name = WALSegmentName(timeline: 1, containing: backup.startLSN)
        // Where it may be reached and not read, the one file that is asked for may say so.
        try await expect(.unavailable, .denied, what: "a segment") {
            _ = try await bench.engine.segment(name, bench.context)
        }
        try await bench.setReachable(true)
        try expect(try await bench.catalog().backups == [backup], "the backup is not what it was")
    }

    private static func descriptions(_ bench: Bench) async throws {
        let commands = try bench.engine.archiving(bench.context)
        try expect(commands.archive.contains("%p"), "archive_command is \(commands.archive)")
        try expect(
            commands.restore.contains("%f") && commands.restore.contains("%p"), "restore_command is \(commands.restore)"
        )
        var context = bench.context
        context.endpoint?.password = .environment("ORDERS_PASSWORD")
        let task = try await bench.engine.backup(.init(key: "k", kind: .full, repository: bench.repository), context)
        try expect(task.key == "k" && !task.argv.isEmpty, "the task is \(task)")
        try expect(task.secrets.values.contains(.environment("ORDERS_PASSWORD")), "the password is not handed on")
        try await expect(.configuration, what: "a repository that is not there") {
            _ = try await bench.engine.backup(.init(key: "k", kind: .full, repository: "elsewhere"), bench.context)
        }
    }
}
