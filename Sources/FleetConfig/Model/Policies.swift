public import FleetPluginAPI

/// What compliance is measured against; nil means that nothing is asked.
public struct PolicyDeclaration: Hashable, Sendable {
    /// Backup kinds to cron expressions.
    public var schedule: [BackupRecord.Kind: CronExpression]
    public var retention: Retention
    public var rpo: Duration?
    public var rto: Duration?
    public var drillEvery: Duration?

    public init(
        schedule: [BackupRecord.Kind: CronExpression] = [:], retention: Retention = Retention(), rpo: Duration? = nil,
        rto: Duration? = nil, drillEvery: Duration? = nil
    ) {
        self.schedule = schedule
        self.retention = retention
        self.rpo = rpo
        self.rto = rto
        self.drillEvery = drillEvery
    }
}

public struct RolloutDeclaration: Hashable, Sendable {
    public var stages: [Stage]
    /// How many steps of one phase are carried out at once; nil for all.
    public var parallel: Int?
    public var parallelPerCluster: Int?

    public struct Stage: Hashable, Sendable {
        public var environment: String
        public var soak: Duration?
        public var probes: [PluginUse]
        /// So many applications may be unwell.
        public var maxFailures: Int
        public var deadline: Duration?
        public var requiresApproval: Bool
        /// Who started the run may not approve it.
        public var approvedByAnother: Bool
        public var approvalExpires: Duration

        public init(
            environment: String, soak: Duration? = nil, probes: [PluginUse] = [], maxFailures: Int = 0,
            deadline: Duration? = nil, requiresApproval: Bool = false, approvedByAnother: Bool = false,
            approvalExpires: Duration = .seconds(86_400)
        ) {
            self.environment = environment
            self.soak = soak
            self.probes = probes
            self.maxFailures = maxFailures
            self.deadline = deadline
            self.requiresApproval = requiresApproval
            self.approvedByAnother = approvedByAnother
            self.approvalExpires = approvalExpires
        }
    }

    public init(stages: [Stage] = [], parallel: Int? = nil, parallelPerCluster: Int? = nil) {
        self.stages = stages
        self.parallel = parallel
        self.parallelPerCluster = parallelPerCluster
    }
}

/// When to raise an alert; the defaults are the runbook's.
public struct AlertThresholds: Hashable, Sendable {
    public var failedBackups: Int
    public var noBackupFor: Duration
    public var walLag: Duration
    /// Percent of the repository's storage.
    public var repositoryUse: Double

    public init(
        failedBackups: Int = 2, noBackupFor: Duration = .seconds(48 * 3600), walLag: Duration = .seconds(3600),
        repositoryUse: Double = 80
    ) {
        self.failedBackups = failedBackups
        self.noBackupFor = noBackupFor
        self.walLag = walLag
        self.repositoryUse = repositoryUse
    }
}
