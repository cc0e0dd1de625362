public import FleetPluginAPI
public import FleetStore

/// One instance, declared and observed side by side.
public struct InstanceStatus: Sendable, Codable {
    public var instance: String
    public var cluster: String
    public var environment: String
    public var labels: [String: String]
    public var state: ProcessObservation.State?
    public var server: ServerObservation?
    /// The replication slot through which its WAL is received; nil where the server archives it.
    public var walSlot: String?
    public var lastBackup: BackupRecord?
    /// Nil where no repository could be read.
    public var backups: Int?
    public var windows: [RecoveryWindow]
    public var repositories: [RepositoryUse]
    /// What could not be found out, and what is wrong, in sentences; nothing unknown counts as well.
    public var problems: [FleetError]
    public var observedAt: Timestamp

    /// The window that reaches furthest into the present on the current timeline.
    public var currentWindow: RecoveryWindow? {
        let timeline = server?.timeline
        return windows.filter { timeline == nil || $0.timeline == timeline }.max { $0.endLSN < $1.endLSN }
            ?? windows.last
    }

    public struct RepositoryUse: Sendable, Codable {
        public var name: String
        public var usage: StorageUsage

        /// Percent used; nil where the storage cannot tell.
        public var percentUsed: Double? {
            guard let free = usage.free, let total = usage.total, total > 0 else { return nil }
            return Double(total - free) / Double(total) * 100
        }
    }
}

public struct ApplicationStatus: Sendable, Codable {
    public var application: String
    public var cluster: String
    public var environment: String
    public var uses: [String]
    public var scale: ScaleObservation?
    public var problem: FleetError?
}

/// The whole fleet at one moment.
public struct FleetStatus: Sendable, Codable {
    public var instances: [InstanceStatus]
    public var applications: [ApplicationStatus]
    public var sets: [SetStatus] = []
    public var observedAt: Timestamp
}

/// What a restore set could be restored to.
public struct SetStatus: Hashable, Sendable, Codable {
    public var set: String
    public var members: [String]
    /// The newest mark that is in every archive and says something about what belongs together.
    public var lastMark: MarkRecord?
    public var problem: FleetError?

    public init(set: String, members: [String], lastMark: MarkRecord? = nil, problem: FleetError? = nil) {
        self.set = set
        self.members = members
        self.lastMark = lastMark
        self.problem = problem
    }
}
