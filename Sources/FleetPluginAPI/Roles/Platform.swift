/// Where instances live and how they are started, stopped and worked upon there.
///
/// One platform object serves one cluster of fleet.yaml. Every implementation passes `PlatformConformance`.
public protocol Platform: Sendable {
    /// Where the data is; an instance whose data directory does not exist yet has a location as well.
    ///
    /// - Throws: `notFound`, `denied`, `unavailable`, `refused` (owned by an operator).
    func location(of instance: Instance) async throws -> InstanceLocation

    /// Where the server answers the coordinator, or would answer once it runs.
    func endpoint(of instance: Instance) async throws -> Endpoint

    /// Where the server answers a task of this platform; the same place unless the platform says otherwise.
    func taskEndpoint(of instance: Instance) async throws -> Endpoint

    /// What would make this work fail that can be known before anything is changed: permissions that are missing,
    /// an owner that would fight it. Each in a sentence; empty when nothing is known to be in the way.
    ///
    /// - Throws: when it cannot be found out.
    func obstacles(to work: PlatformWork, of instance: Instance) async throws -> [String]

    /// What would make `makeScratch` or a restore there fail that can be known before anything is changed; a place that
    /// lies in an instance's data among it.
    func obstacles(toScratch request: ScratchRequest) async throws -> [String]

    /// What will go differently than a reader of the plan expects, in sentences.
    func remarks(on work: PlatformWork, of instance: Instance) async throws -> [String]

    /// What is so now, without asking the server.
    func observe(_ instance: Instance) async throws -> ProcessObservation

    /// Starts the server and waits until it accepts connections, paused in recovery included. Done as well when it
    /// runs already.
    ///
    /// - Throws: `failed` with the end of the server's log when it dies, `timedOut`.
    func start(_ instance: Instance, deadline: Duration) async throws

    /// Stops the server and waits until it is really gone: process, shared memory, socket. Done as well when it is.
    func stop(_ instance: Instance, mode: StopMode, deadline: Duration) async throws

    /// Makes `fleet agent …` callable where the instance's data is, by the user that owns it: the program, and this
    /// configuration (which holds no secrets). Stays for `archive_command` and `restore_command`. Safe to repeat.
    func installAgent(_ configuration: String, for instance: Instance) async throws -> AgentInvocation

    /// What the instance's own declaration must have so that its server can call the agent; nil where a platform needs
    /// nothing of the kind. Changes nothing.
    func integration(of instance: Instance) async throws -> AgentIntegration?

    /// Starts a task, or adopts the one that has its key. Returns when it is certain that it will be found again.
    func launch(_ task: TaskSpec, for instance: Instance) async throws
    func observeTask(_ key: String, of instance: Instance) async throws -> TaskObservation
    /// Lines of the task's stdout from the line numbered `line` on (the first is 0), as many as there are now.
    func taskOutput(_ key: String, of instance: Instance, from line: Int) async throws -> [String]
    /// The end of what it wrote to stderr.
    func taskErrors(_ key: String, of instance: Instance) async throws -> String
    /// Ends a task and waits until it is gone.
    func cancelTask(_ key: String, of instance: Instance) async throws
    /// Removes what is kept of a finished task.
    func forgetTask(_ key: String, of instance: Instance) async throws

    /// Runs a short command where the instance's data is, as the data's owner, and waits for its end. It asks and
    /// changes nothing; whatever its exit status, that is an answer.
    ///
    /// - Throws: `unavailable` when the place cannot be reached, `timedOut` after the query's deadline, `exhausted`
    ///   when it says more than the query's limit, `unsupported` where the platform cannot (the default).
    func query(_ query: PlaceQuery, of instance: Instance) async throws -> QueryAnswer

    /// A place for a restore beside the source. Nothing runs there yet; safe to repeat under the same name.
    func makeScratch(_ request: ScratchRequest) async throws -> ScratchPlace
    /// Stops and removes what `makeScratch` made for this request, data included; refuses anything else. Done as
    /// well when it is gone.
    func removeScratch(_ request: ScratchRequest) async throws

    /// Moves the data aside so that the instance's place is empty, under a tag that finds it again.
    func setAside(_ instance: Instance, tag: String) async throws
    /// Undoes `setAside`: what is in place now is removed.
    func putBack(_ instance: Instance, tag: String) async throws
    /// Removes what was set aside.
    func discardAside(_ instance: Instance, tag: String) async throws

    /// The last lines of the server's log.
    func recentLog(of instance: Instance, lines: Int) async throws -> [String]

    /// Instances found here, declared or not.
    func discover() async throws -> [DiscoveredInstance]
}

extension Platform {
    public func taskEndpoint(of instance: Instance) async throws -> Endpoint { try await endpoint(of: instance) }
    public func obstacles(to work: PlatformWork, of instance: Instance) async throws -> [String] { [] }
    public func obstacles(toScratch request: ScratchRequest) async throws -> [String] { [] }
    public func integration(of instance: Instance) async throws -> AgentIntegration? { nil }
    public func remarks(on work: PlatformWork, of instance: Instance) async throws -> [String] { [] }
    public func query(_ query: PlaceQuery, of instance: Instance) async throws -> QueryAnswer {
        throw FleetError(.unsupported, "the platform of \(instance.name) cannot run commands beside its data")
    }
}

/// How a server's own declaration brings the agent along.
public struct AgentIntegration: Hashable, Sendable {
    /// To be given to whoever keeps the declaration, as a text that he can apply.
    public var patch: String
    /// What the declaration lacks of it, in a sentence; nil when nothing.
    public var lack: String?

    public init(patch: String, lack: String?) {
        self.patch = patch
        self.lack = lack
    }
}

/// Kinds of work that a plan asks of a platform.
public enum PlatformWork: String, Hashable, Sendable, Codable, CaseIterable {
    case backup
    /// Stop, tasks alone with the volume, start.
    case restore
    /// The data moved aside and put back.
    case setAside = "set-aside"
    /// A scratch place and tasks there.
    case restoreBeside = "restore-beside"
}

/// A data directory and who owns it, as a task beside it sees them.
public struct InstanceLocation: Hashable, Sendable, Codable {
    /// Absolute.
    public var dataDirectory: String
    /// The operating-system user that runs the server.
    public var owner: String
    /// Where `postgres`, `pg_ctl`, … are; nil while the version is not known.
    public var binDirectory: String?

    public init(dataDirectory: String, owner: String, binDirectory: String?) {
        self.dataDirectory = dataDirectory
        self.owner = owner
        self.binDirectory = binDirectory
    }
}

public enum StopMode: String, Hashable, Sendable, Codable {
    /// Ends sessions, writes a shutdown checkpoint, archives the rest of WAL.
    case fast
    /// As a crash would, without waiting for anything. For data that nobody needs: where a supervisor of the platform's
    /// own takes part in the end (Kubernetes), the server may be shut down in order after all.
    case immediate
}

/// A server as its platform sees it.
public struct ProcessObservation: Hashable, Sendable, Codable {
    public enum State: String, Hashable, Sendable, Codable {
        case running, starting, stopping, stopped
        /// There is no data directory, or an empty one.
        case absent
    }

    public var state: State
    /// From pg_control; nil when it cannot be read from here.
    public var control: ControlFacts?
    /// From `PG_VERSION`: `15`.
    public var majorVersion: String?
    /// What is unusual, in sentences.
    public var remarks: [String]

    public init(
        state: State, control: ControlFacts? = nil, majorVersion: String? = nil, remarks: [String] = []
    ) {
        self.state = state
        self.control = control
        self.majorVersion = majorVersion
        self.remarks = remarks
    }
}

/// What `pg_control` says that a restore needs.
public struct ControlFacts: Hashable, Sendable, Codable {
    public var systemIdentifier: SystemIdentifier
    /// `in production`, `shut down`, … as `pg_controldata` prints it.
    public var state: String
    public var timeline: TimelineID
    public var checkpointLSN: LSN
    public var redoLSN: LSN
    public var parameters: RecoveryParameters
    public var hasDataChecksums: Bool
    public var walSegmentSize: UInt64

    public init(
        systemIdentifier: SystemIdentifier, state: String, timeline: TimelineID, checkpointLSN: LSN, redoLSN: LSN,
        parameters: RecoveryParameters, hasDataChecksums: Bool, walSegmentSize: UInt64
    ) {
        self.systemIdentifier = systemIdentifier
        self.state = state
        self.timeline = timeline
        self.checkpointLSN = checkpointLSN
        self.redoLSN = redoLSN
        self.parameters = parameters
        self.hasDataChecksums = hasDataChecksums
        self.walSegmentSize = walSegmentSize
    }
}

public struct ScratchRequest: Hashable, Sendable, Codable {
    /// DNS label; unique among scratch instances.
    public var name: String
    /// The instance it is made for.
    public var source: Instance
    /// Where its data shall go, in the platform's words (a directory); nil for a place of the platform's choosing.
    public var place: String?
    /// Major version of the backup: `15`.
    public var majorVersion: String
    /// Where the backup's tablespaces were.
    public var tablespaces: [BackupRecord.Tablespace]

    public init(
        name: String, source: Instance, place: String?, majorVersion: String,
        tablespaces: [BackupRecord.Tablespace]
    ) {
        self.name = name
        self.source = source
        self.place = place
        self.majorVersion = majorVersion
        self.tablespaces = tablespaces
    }
}

/// A place for a scratch instance, as its platform made it.
public struct ScratchPlace: Hashable, Sendable, Codable {
    /// What to call the instance there by.
    public var instance: Instance
    /// Settings the restored server needs there: port, socket directory.
    public var settings: [String: String]
    /// Tablespace locations of the backup to locations here; all of them.
    public var tablespaces: [String: String]

    public init(instance: Instance, settings: [String: String], tablespaces: [String: String]) {
        self.instance = instance
        self.settings = settings
        self.tablespaces = tablespaces
    }
}

public struct DiscoveredInstance: Hashable, Sendable, Codable {
    /// A name to declare it by.
    public var suggestedName: String
    /// The `platform:` block to declare it with.
    public var platform: PluginOptions
    public var systemIdentifier: SystemIdentifier?
    public var majorVersion: String?
    public var isRunning: Bool
    public var remarks: [String]

    public init(
        suggestedName: String, platform: PluginOptions, systemIdentifier: SystemIdentifier?, majorVersion: String?,
        isRunning: Bool, remarks: [String] = []
    ) {
        self.suggestedName = suggestedName
        self.platform = platform
        self.systemIdentifier = systemIdentifier
        self.majorVersion = majorVersion
        self.isRunning = isRunning
        self.remarks = remarks
    }
}
