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

    public struct Stage: Hashable, Sendable {
        public var environment: String
        public var soak: Duration?
        public var requiresApproval: Bool

        public init(environment: String, soak: Duration? = nil, requiresApproval: Bool = false) {
            self.environment = environment
            self.soak = soak
            self.requiresApproval = requiresApproval
        }
    }

    public init(stages: [Stage] = []) {
        self.stages = stages
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
