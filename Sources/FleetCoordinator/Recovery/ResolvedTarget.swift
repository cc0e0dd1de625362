public import FleetPluginAPI

/// A target made exact by evidence from WAL: which backup, which timeline, where replay stops and what is lost.
public struct ResolvedTarget: Hashable, Sendable, Codable {
    /// As asked for, relative times made absolute.
    public var requested: RecoveryTarget
    public var backup: BackupRecord
    public var stop: RecoverySettings.Stop
    public var timeline: TimelineID
    /// Everything that ends at or before this position is kept, nothing after it; nil when only replay will tell
    /// (`immediate`).
    public var stopLSN: LSN?
    /// The last commit that is kept.
    public var lastKept: WALSegmentSummary.TransactionEnd?
    /// Commits on the current timeline after the stop.
    public var lost: LostCommits
    /// Segments that replay reads, and how many of these are not archived yet.
    public var segments: Int
    public var pendingSegments: Int
    public var firstSegment: String
    public var lastSegment: String
    /// Recovery stops only if a transaction ends after the target: one must be made before the server is stopped.
    public var needsHeartbeat: Bool
    /// The largest settings that a hot standby needs on the way; nil when WAL changes none.
    public var parameters: RecoveryParameters?
    /// What a reader should know, in sentences.
    public var remarks: [String]
}

/// What is asked of the resolver.
public struct TargetRequest: Sendable {
    public var target: RecoveryTarget
    /// The timeline to follow; nil for the instance's current one.
    public var timeline: TimelineID?
    /// A backup by label; nil for the best.
    public var backup: String?

    public init(target: RecoveryTarget, timeline: TimelineID? = nil, backup: String? = nil) {
        self.target = target
        self.timeline = timeline
        self.backup = backup
    }
}

/// What is known of the instance at the moment of planning.
public struct RecoveryWorld: Sendable {
    public var instance: String
    public var catalog: Catalog
    public var map: ArchiveMap
    public var systemIdentifier: SystemIdentifier?
    /// The timeline the instance is on; nil when nobody can tell.
    public var currentTimeline: TimelineID?
    /// A running primary's clock: it can commit a heartbeat after the target. Nil when there is no such server.
    public var primaryClock: Timestamp?
    public var now: Timestamp
    public var reader: any WALReader

    public init(
        instance: String, catalog: Catalog, map: ArchiveMap, systemIdentifier: SystemIdentifier?,
        currentTimeline: TimelineID?, primaryClock: Timestamp?, now: Timestamp, reader: any WALReader
    ) {
        self.instance = instance
        self.catalog = catalog
        self.map = map
        self.systemIdentifier = systemIdentifier
        self.currentTimeline = currentTimeline
        self.primaryClock = primaryClock
        self.now = now
        self.reader = reader
    }

    public var windows: [RecoveryWindow] {
        RecoveryWindow.all(in: map, backups: usableBackups)
    }

    /// Backups of this very instance that nothing is known to be wrong with, newest first.
    public var usableBackups: [BackupRecord] {
        catalog.backups
            .filter { $0.problem == nil && (systemIdentifier == nil || $0.systemIdentifier == systemIdentifier) }
            .sorted { $0.stopLSN > $1.stopLSN }
    }
}
