/// What can be done with an instance's backups. Describes the work; does not know where it runs.
///
/// Every implementation passes `EngineConformance`.
public protocol Engine: Sendable {
    var capabilities: EngineCapabilities { get }

    /// Names of the repositories that the engine keeps by a configuration of its own, in order of preference: they
    /// serve where fleet.yaml gives the instance none. Most engines have none (the default).
    var ownRepositories: [String] { get }

    /// Everything the instance's repositories hold for it.
    ///
    /// A repository that cannot be read is a problem in the catalog when another one could be read, and an error
    /// (`unavailable`) when none could. An instance that has no backups yet is an empty catalog.
    func catalog(_ context: EngineContext) async throws -> Catalog

    /// An archived segment, decoded and checked.
    ///
    /// - Throws: `notFound`, `corrupted`.
    func segment(_ name: WALSegmentName, _ context: EngineContext) async throws -> [UInt8]

    /// The summary of a segment that the catalog lists without one, not joined with its neighbours; nil where the
    /// engine has no better way than to read the segment (the default).
    ///
    /// - Throws: `notFound`, `corrupted`.
    func summary(of name: WALSegmentName, _ context: EngineContext) async throws -> WALSegmentSummary?

    func backup(_ request: BackupRequest, _ context: EngineContext) async throws -> TaskSpec
    func restore(_ request: RestoreRequest, _ context: EngineContext) async throws -> TaskSpec
    func verify(_ request: VerifyRequest, _ context: EngineContext) async throws -> TaskSpec
    func expire(_ request: ExpireRequest, _ context: EngineContext) async throws -> TaskSpec

    /// Keeps a backup whatever retention says, or lets it go again.
    ///
    /// - Parameter hold: nil to let go.
    /// - Throws: `notFound`; `unsupported` where `capabilities.upkeep` has it not.
    func hold(_ label: String, in repository: String, _ hold: BackupHold?, _ context: EngineContext) async throws

    /// Brings backups and WAL from one repository of the instance to another.
    func copy(_ request: CopyRequest, _ context: EngineContext) async throws -> TaskSpec

    /// Mends what is damaged from the instance's other repositories, and says what is lost.
    func repair(_ request: RepairRequest, _ context: EngineContext) async throws -> TaskSpec

    /// What to write into `archive_command` and `restore_command`.
    func archiving(_ context: EngineContext) throws -> ArchiveCommands

    /// Whether these call `fleet agent`, so that the server must be able to (the default).
    func serverCallsAgent(_ context: EngineContext) -> Bool

    /// The replication slot through which WAL is received; nil where the server archives it (the default).
    func walSlot(_ context: EngineContext) -> String?

    /// Receives WAL through that slot into every repository, until it is cancelled. Waits out a server that is down.
    ///
    /// - Parameters:
    ///   - endpoint: where the server answers now; asked before each connection.
    ///   - log: takes a line for people when something changes.
    /// - Throws: `unsupported` where there is no slot.
    func receiveWAL(
        _ context: EngineContext, endpoint: @escaping @Sendable () async throws -> Endpoint,
        log: @escaping @Sendable (String) -> Void) async throws

    /// What a line of a task's output means; nil when it says nothing.
    func event(fromLine line: String) -> TaskEvent?
}

extension Engine {
    public var ownRepositories: [String] { [] }

    public func summary(of name: WALSegmentName, _ context: EngineContext) async throws -> WALSegmentSummary? { nil }

    public func serverCallsAgent(_ context: EngineContext) -> Bool { true }

    public func walSlot(_ context: EngineContext) -> String? { nil }

    public func receiveWAL(
        _ context: EngineContext, endpoint: @escaping @Sendable () async throws -> Endpoint,
        log: @escaping @Sendable (String) -> Void
    ) async throws {
        throw FleetError(.unsupported, "the engine of \(context.instance.name) does not receive WAL")
    }

    public func hold(_ label: String, in repository: String, _ hold: BackupHold?, _ context: EngineContext) async throws
    {
        throw Self.unsupported(.hold, context)
    }

    public func copy(_ request: CopyRequest, _ context: EngineContext) async throws -> TaskSpec {
        throw Self.unsupported(.copy, context)
    }

    public func repair(_ request: RepairRequest, _ context: EngineContext) async throws -> TaskSpec {
        throw Self.unsupported(.repair, context)
    }

    private static func unsupported(_ upkeep: EngineCapabilities.Upkeep, _ context: EngineContext) -> FleetError {
        FleetError(.unsupported, "the engine of \(context.instance.name) cannot \(upkeep.rawValue) backups")
    }
}

public struct EngineCapabilities: Hashable, Sendable, Codable {
    public var backupKinds: [BackupRecord.Kind]
    /// Restores over an existing data directory, writing only what differs.
    public var deltaRestore: Bool
    public var remapsTablespaces: Bool
    /// A restore over an existing data directory leaves configuration files, and whatever there is not PostgreSQL's own,
    /// as they are; otherwise they become the backup's, and what the backup has not is removed.
    public var keepsConfiguration: Bool
    /// What else it can do with backups that are there.
    public var upkeep: Set<Upkeep>

    public enum Upkeep: String, Hashable, Sendable, Codable {
        /// `Engine.hold`
        case hold
        /// `Engine.copy`
        case copy
        /// `Engine.repair`
        case repair
    }

    public init(
        backupKinds: [BackupRecord.Kind], deltaRestore: Bool, remapsTablespaces: Bool, keepsConfiguration: Bool = false,
        upkeep: Set<Upkeep> = []
    ) {
        self.backupKinds = backupKinds
        self.deltaRestore = deltaRestore
        self.remapsTablespaces = remapsTablespaces
        self.keepsConfiguration = keepsConfiguration
        self.upkeep = upkeep
    }
}

/// What an engine is told of the instance it works for.
public struct EngineContext: Sendable {
    public var instance: Instance
    /// In the order of fleet.yaml; empty only where the engine keeps its own.
    public var repositories: [Repository]
    public var agent: AgentInvocation
    /// Where the data is and who owns it, as a task there sees it; nil when nobody could tell.
    public var location: InstanceLocation?
    /// How a task there reaches the server; nil when the server has no known endpoint.
    public var endpoint: Endpoint?
    /// Runs a short command beside the data and answers with what it said; nil where nobody can.
    ///
    /// For engines whose repositories can only be read from there.
    public var ask: Ask?

    public typealias Ask = @Sendable (PlaceQuery) async throws -> QueryAnswer

    public struct Repository: Sendable {
        public var name: String
        public var storage: any Storage
        /// The storage plugin and its options, for an engine that reaches the storage by means of its own.
        public var plugin: String
        public var options: PluginOptions
        /// Opens what is encrypted there; nil where nothing is.
        public var secret: RepositorySecret?

        public init(
            name: String, storage: any Storage, plugin: String = "", options: PluginOptions = PluginOptions(),
            secret: RepositorySecret? = nil
        ) {
            self.name = name
            self.storage = storage
            self.plugin = plugin
            self.options = options
            self.secret = secret
        }
    }

    public init(
        instance: Instance, repositories: [Repository], agent: AgentInvocation, location: InstanceLocation?,
        endpoint: Endpoint?, ask: Ask? = nil
    ) {
        self.instance = instance
        self.repositories = repositories
        self.agent = agent
        self.location = location
        self.endpoint = endpoint
        self.ask = ask
    }
}

public struct BackupRequest: Hashable, Sendable, Codable {
    /// Unique to this backup: the task's key and part of what makes a repeated call the same call.
    public var key: String
    public var kind: BackupRecord.Kind
    /// The repository to write to, by name.
    public var repository: String

    public init(key: String, kind: BackupRecord.Kind, repository: String) {
        self.key = key
        self.kind = kind
        self.repository = repository
    }
}

public struct RestoreRequest: Hashable, Sendable, Codable {
    public var key: String
    public var backup: BackupRecord
    /// Where to restore to, as the task sees it.
    public var dataDirectory: String
    /// What may be in the data directory.
    public var mode: Mode
    public var recovery: RecoverySettings
    /// Tablespace locations in the backup to locations here; what is not named stays.
    public var tablespaces: [String: String]

    public enum Mode: String, Hashable, Sendable, Codable {
        /// It must be empty or absent.
        case empty
        /// It holds this instance (same system identifier); only what differs is written.
        case delta
    }

    public init(
        key: String, backup: BackupRecord, dataDirectory: String, mode: Mode, recovery: RecoverySettings,
        tablespaces: [String: String] = [:]
    ) {
        self.key = key
        self.backup = backup
        self.dataDirectory = dataDirectory
        self.mode = mode
        self.recovery = recovery
        self.tablespaces = tablespaces
    }
}

/// How PostgreSQL is told to recover.
public struct RecoverySettings: Hashable, Sendable, Codable {
    public var stop: Stop
    public var timeline: TimelineID
    /// Restored servers that must never archive into their source's repository.
    public var archivingOff: Bool
    /// Settings that recovery needs at least this large; nil when what is configured suffices.
    public var parameters: RecoveryParameters?
    /// Further settings for this server alone (port, socket directory of a scratch instance).
    public var settings: [String: String]

    /// Where recovery stops. All but `endOfWAL` become a `recovery_target_…` with action `pause`; `endOfWAL`
    /// starts a standby, which replays all there is and waits to be promoted.
    public enum Stop: Hashable, Sendable, Codable {
        /// Stops before the first transaction end later than this.
        case time(Timestamp)
        case lsn(LSN, inclusive: Bool)
        case xid(UInt32)
        case name(String)
        case immediate
        case endOfWAL
    }

    public init(
        stop: Stop, timeline: TimelineID, archivingOff: Bool, parameters: RecoveryParameters? = nil,
        settings: [String: String] = [:]
    ) {
        self.stop = stop
        self.timeline = timeline
        self.archivingOff = archivingOff
        self.parameters = parameters
        self.settings = settings
    }
}

public struct VerifyRequest: Hashable, Sendable, Codable {
    public var key: String
    /// Labels; every backup when empty.
    public var backups: [String]
    public var repository: String
    /// How much of the content to read, in percent: 0 for whether all is there and refers to what is there, 100 (the
    /// default) for every byte.
    public var share: Int?

    public init(key: String, backups: [String], repository: String, share: Int? = nil) {
        self.key = key
        self.backups = backups
        self.repository = repository
        self.share = share
    }
}

public struct CopyRequest: Hashable, Sendable, Codable {
    public var key: String
    /// Repositories, by name.
    public var source: String
    public var destination: String
    /// Labels; every backup when empty.
    public var backups: [String]

    public init(key: String, source: String, destination: String, backups: [String]) {
        self.key = key
        self.source = source
        self.destination = destination
        self.backups = backups
    }
}

public struct RepairRequest: Hashable, Sendable, Codable {
    public var key: String
    /// The repository to mend, by name.
    public var repository: String
    /// Say what is damaged and whether it could be mended, write nothing.
    public var isDryRun: Bool

    public init(key: String, repository: String, isDryRun: Bool) {
        self.key = key
        self.repository = repository
        self.isDryRun = isDryRun
    }
}

public struct ExpireRequest: Hashable, Sendable, Codable {
    public var key: String
    public var repository: String
    public var retention: Retention
    /// Say what would go, remove nothing.
    public var isDryRun: Bool

    public init(key: String, repository: String, retention: Retention, isDryRun: Bool) {
        self.key = key
        self.repository = repository
        self.retention = retention
        self.isDryRun = isDryRun
    }

    /// - Throws: `refused` when the retention would keep nothing, or does not say what.
    public func checkRetention() throws(FleetError) {
        guard retention.isDecided, retention.full.map({ $0 >= 1 }) ?? true else {
            throw FleetError(
                .refused, "at least one full backup is kept",
                hint: "set retention.full to 1 or more, or retention.window")
        }
    }
}

/// Shell command lines for PostgreSQL's configuration.
public struct ArchiveCommands: Hashable, Sendable, Codable {
    public var archive: String
    /// "Not in the archive" is exit status 1; every real fault is above 125, which ends recovery with an error
    /// instead of promoting.
    public var restore: String

    public init(archive: String, restore: String) {
        self.archive = archive
        self.restore = restore
    }
}
