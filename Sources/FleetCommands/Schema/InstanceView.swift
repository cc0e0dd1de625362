import FleetConfig
import FleetCoordinator
import FleetPluginAPI

/// One instance, declared and observed, in JSON. What could not be found out is absent, and `problems` says why.
struct InstanceView: Hashable, Sendable, Codable {
    var name: String
    var cluster: String
    var environment: String
    var labels: [String: String]
    /// As declared; absent in `fleet status`.
    var policy: String?
    /// The engine plugin.
    var engine: String?
    /// `running`, `starting`, `stopping`, `stopped`, `absent`.
    var state: String?
    /// `primary` or `standby`.
    var role: String?
    var version: String?
    var systemIdentifier: String?
    var timeline: UInt32?
    var lsn: String?
    /// Bytes.
    var size: Int64?
    var databases: [ServerObservation.Database]?
    var dataDirectory: String?
    var dataChecksums: Bool?
    var archiving: ArchivingView?
    var lastBackup: BackupView?
    /// Absent where no repository could be read.
    var backups: Int?
    var windows: [WindowView]
    /// Seconds from the last archived commit to the observation; how much would be lost with the machine.
    var archiveLag: Double?
    var repositories: [RepositoryView]
    var problems: [FleetError]
    var observedAt: Timestamp

    init(_ status: InstanceStatus, declared: InstanceDeclaration? = nil) {
        name = status.instance
        cluster = status.cluster
        environment = status.environment
        labels = status.labels
        policy = declared?.policy
        engine = declared?.engine.plugin
        state = status.state?.rawValue
        if let server = status.server {
            role = server.isInRecovery ? "standby" : "primary"
            version = ServerVersion.text(server.version)
            systemIdentifier = "\(server.systemIdentifier)"
            timeline = server.timeline
            lsn = "\(server.lsn)"
            size = server.size
            databases = server.databases
            dataDirectory = server.dataDirectory
            dataChecksums = server.hasDataChecksums
            archiving = ArchivingView(server, slot: status.walSlot)
        }
        lastBackup = status.lastBackup.map { BackupView($0, of: status.instance) }
        backups = status.backups
        windows = status.windows.map(WindowView.init)
        archiveLag = status.currentWindow.map { max(0, (status.observedAt - $0.end).seconds) }
        repositories = status.repositories.map {
            RepositoryView(name: $0.name, free: $0.usage.free, total: $0.usage.total)
        }
        problems = status.problems
        observedAt = status.observedAt
    }
}

/// What `pg_stat_archiver` says, or the slot through which WAL is received, in JSON.
struct ArchivingView: Hashable, Sendable, Codable {
    /// `off`, `on`, `always`; `stream` where WAL is received.
    var mode: String
    var isFailing: Bool
    var archivedCount: Int
    var lastArchived: String?
    var lastArchivedAt: Timestamp?
    var failedCount: Int
    var lastFailed: String?
    var lastFailedAt: Timestamp?
    /// Where WAL is received; `name`, `isActive`, `restartLSN`, `walStatus`.
    var slot: SlotView?

    struct SlotView: Hashable, Sendable, Codable {
        var name: String
        var isActive: Bool
        /// What is before it is archived.
        var restartLSN: String?
        var walStatus: String?
    }

    init(_ server: ServerObservation, slot name: String?) {
        let archiving = server.archiving
        if let name {
            let found = server.slots.first { $0.name == name }
            slot = SlotView(
                name: name, isActive: found?.isActive ?? false, restartLSN: found?.restartLSN?.description,
                walStatus: found?.walStatus)
        }
        mode = slot == nil ? archiving.mode : "stream"
        isFailing = slot.map { !$0.isActive || $0.walStatus == "lost" } ?? archiving.isFailing
        archivedCount = archiving.archivedCount
        lastArchived = archiving.lastArchived
        lastArchivedAt = archiving.lastArchivedAt
        failedCount = archiving.failedCount
        lastFailed = archiving.lastFailed
        lastFailedAt = archiving.lastFailedAt
    }
}

/// A repository's room in JSON, bytes.
struct RepositoryView: Hashable, Sendable, Codable {
    var name: String
    var free: Int64?
    var total: Int64?
}
