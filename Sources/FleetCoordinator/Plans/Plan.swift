public import FleetConfig
public import FleetPluginAPI
public import FleetStore

/// Everything a run will do, chosen and proven beforehand.
///
/// A plan is complete in itself, may be kept in a file, and is carried out only while its world is as it was.
public struct Plan: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// In place.
        case restore
        /// Beside the source, into a scratch instance.
        case restoreInto
        /// Looks, in copies of a set's members that are removed again, for a cut at which its invariants hold.
        case search
        /// The same restore in copies that are removed again, as proof that it works.
        case rehearsal
        /// The same as evidence: timed, and looked through for damage.
        case drill
        /// Brings back the state before a restore.
        case undo
        case backup

        /// Works in copies alone: members and applications stay as they are.
        public var isBeside: Bool {
            switch self {
            case .restoreInto, .search, .rehearsal, .drill: true
            case .restore, .undo, .backup: false
            }
        }
    }

    /// Of this format.
    public var version: Int
    public var kind: Kind
    /// One line for lists: `restore orders to 2025-12-18T10:30:00Z`.
    public var title: String
    public var createdAt: Timestamp
    /// SHA-256 of the configuration it was made from.
    public var configuration: String
    /// For an undo: the run that is undone.
    public var undoes: String?
    /// The run that has done the same in copies.
    public var rehearsedBy: String?
    /// For an undo: members of finished stages that stay as they are.
    public var keeps: [String]
    /// The restore set whose members it restores, and the mark that they are restored to.
    public var set: SetPlan?
    public var members: [Member]
    public var applications: [ApplicationPlan]
    public var options: RestoreOptions
    /// Environments that come back one after the other, and what must hold in between; empty where all is done at once.
    public var stages: [Stage]
    public var steps: [StepPlan]
    /// What a reader must know before saying yes, in sentences.
    public var warnings: [String]

    public init(
        kind: Kind, title: String, createdAt: Timestamp, configuration: String, undoes: String? = nil,
        rehearsedBy: String? = nil,
        keeps: [String] = [], set: SetPlan? = nil, members: [Member], applications: [ApplicationPlan],
        options: RestoreOptions, stages: [Stage] = [], steps: [StepPlan], warnings: [String]
    ) {
        self.rehearsedBy = rehearsedBy
        self.keeps = keeps
        self.stages = stages
        self.version = 1
        self.kind = kind
        self.title = title
        self.createdAt = createdAt
        self.configuration = configuration
        self.undoes = undoes
        self.set = set
        self.members = members
        self.applications = applications
        self.options = options
        self.steps = steps
        self.warnings = warnings
    }

    public func member(_ instance: String) -> Member? {
        members.first { $0.instance == instance }
    }

    public func application(_ name: String) -> ApplicationPlan? {
        applications.first { $0.name == name }
    }
}

extension Plan {
    /// One instance of a plan.
    public struct Member: Hashable, Sendable, Codable {
        public var instance: String
        public var environment: String
        /// Nil for a backup.
        public var target: ResolvedTarget?
        public var wayBack: WayBack
        public var state: ProcessObservation.State
        public var systemIdentifier: SystemIdentifier?
        public var timeline: TimelineID?
        /// How the data directory is treated.
        public var mode: RestoreRequest.Mode
        public var sessions: [ServerSession]
        public var estimate: Estimate?
        public var checks: [DataCheck]
        /// Of a copy that is kept.
        public var masking: [DataMask] = []
        public var backup: BackupRequest?
        /// For a restore beside: the scratch instance's name and place.
        public var scratch: ScratchRequest?
        /// For an undo: how to bring back what was there.
        public var undo: UndoPoint?
        /// Repository that new backups go to.
        public var repository: String
    }

    public struct ApplicationPlan: Hashable, Sendable, Codable {
        public var name: String
        public var cluster: String
        public var environment: String
        public var uses: [String]
        /// Applications that must be back before this one.
        public var after: [String]
        public var scale: ScaleObservation
        /// An earlier run's record, which an undo brings back.
        public var record: QuiesceRecord?
    }

    /// How a restore can be taken back.
    public enum WayBack: String, Hashable, Sendable, Codable {
        /// The old timeline's WAL is in the archive to its last commit.
        case archive
        /// The old data directory is kept beside.
        case setAside
        /// None, as asked for.
        case none
    }

    /// How long a member's restore will take, and from what that is known.
    public struct Estimate: Hashable, Sendable, Codable {
        public var duration: Duration
        public var basis: String

        public init(duration: Duration, basis: String) {
            self.duration = duration
            self.basis = basis
        }
    }
}

/// What a plan knows of the restore set that it restores.
public struct SetPlan: Hashable, Sendable, Codable {
    public var name: String
    /// Nil where each member is restored to a time by its own clock.
    public var mark: MarkRecord?
    public var approximation: Approximation?
    /// Where each member is restored to what a search found.
    public var found: FoundCut?
    /// How long before the time that was asked for the mark was made; nil where the mark itself was asked for.
    public var distance: Duration?
    /// Marks that could be restored to as well, by name.
    public var alternatives: [String]
    public var invariants: [Invariant]

    public init(
        name: String, mark: MarkRecord?, approximation: Approximation? = nil, found: FoundCut? = nil,
        distance: Duration?, alternatives: [String], invariants: [Invariant]
    ) {
        self.found = found
        self.name = name
        self.mark = mark
        self.approximation = approximation
        self.distance = distance
        self.alternatives = alternatives
        self.invariants = invariants
    }
}

extension SetPlan {
    /// A time of fleet's clock, and what it was on each member's.
    public struct Approximation: Hashable, Sendable, Codable {
        public var time: Timestamp
        public var offsets: [String: ClockOffset]

        public init(time: Timestamp, offsets: [String: ClockOffset]) {
            self.time = time
            self.offsets = offsets
        }

        /// No two members are further apart than this.
        public var residual: Duration {
            .microseconds(offsets.values.map(\.residual).sorted(by: >).prefix(2).reduce(0, +))
        }
    }

    /// What the members are restored to, for people: the mark's name, the time, or the search that found it.
    public var cut: String {
        mark?.name ?? approximation.map { "about \($0.time)" } ?? found.map { "what run \($0.run) found" } ?? "nothing"
    }

    /// `fenced`, `ordered`, `loose`, `approximate`, `searched`.
    public var kind: String { mark?.kind.rawValue ?? (found == nil ? "approximate" : "searched") }
}

/// The state before a restore, as its run recorded it.
public struct UndoPoint: Hashable, Sendable, Codable {
    public var wayBack: Plan.WayBack
    public var timeline: TimelineID
    /// Everything before this position must be back.
    public var lsn: LSN
    /// For `setAside`: where the old data is.
    public var tag: String?
    /// Whether the data was touched at all; if not, starting the server suffices.
    public var dataTouched: Bool

    public init(wayBack: Plan.WayBack, timeline: TimelineID, lsn: LSN, tag: String?, dataTouched: Bool) {
        self.wayBack = wayBack
        self.timeline = timeline
        self.lsn = lsn
        self.tag = tag
        self.dataTouched = dataTouched
    }
}

/// What a person may choose of how a restore goes.
public struct RestoreOptions: Hashable, Sendable, Codable {
    public enum Sessions: String, Hashable, Sendable, Codable, CaseIterable {
        /// Wait a little for them to end; then stop and put everything back.
        case refuse
        case terminate
    }

    public enum OnFailure: String, Hashable, Sendable, Codable, CaseIterable {
        /// Put everything back when a check of the restored data fails; hold at other faults.
        case auto
        case hold
        case putBack = "put-back"
    }

    public var sessions: Sessions
    public var onFailure: OnFailure
    /// Environments in the order in which applications come back; the rest follow by name.
    public var stages: [String]
    public var backupAfterwards: Bool
    /// How many steps of one phase are carried out at once, in all and in one cluster; nil for all.
    public var parallel: Int?
    public var parallelPerCluster: Int?

    public init(
        sessions: Sessions = .refuse, onFailure: OnFailure = .auto, stages: [String] = [],
        backupAfterwards: Bool = true, parallel: Int? = nil, parallelPerCluster: Int? = nil
    ) {
        self.parallel = parallel
        self.parallelPerCluster = parallelPerCluster
        self.sessions = sessions
        self.onFailure = onFailure
        self.stages = stages
        self.backupAfterwards = backupAfterwards
    }
}

/// One step of a plan. Steps of one phase are carried out together, phases one after the other.
public struct StepPlan: Hashable, Sendable, Codable, Identifiable {
    public var id: String
    public var phase: Int
    public var kind: StepKind
    /// The instance or application.
    public var subject: String
    public var title: String
    /// The stage that it belongs to; nil where the plan has none.
    public var stage: String?

    public init(id: String, phase: Int, kind: StepKind, subject: String, title: String, stage: String? = nil) {
        self.stage = stage
        self.id = id
        self.phase = phase
        self.kind = kind
        self.subject = subject
        self.title = title
    }
}

public enum StepKind: String, Hashable, Sendable, Codable, CaseIterable {
    case announce
    case quiesce
    case disconnect
    /// Makes the way back: everything written is archived.
    case secure
    /// Makes the target reachable on a source that goes on running.
    case reach
    case stop
    case setAside = "set-aside"
    case putBack = "put-back"
    case makeScratch = "make-scratch"
    case removeScratch = "remove-scratch"
    case restore
    case start
    case recover
    case verify
    /// Paused copies of a restore set's members are moved until they agree with each other.
    case search
    /// The members of a restore set, all of them paused, agree with each other.
    case agree
    case promote
    /// What a copy's readers must not see is hidden.
    case mask
    /// A copy's tables and indices are free of damage.
    case inspect
    /// Transactions that were prepared at the mark are finished as the other members say.
    case reconcile
    /// Marks that are made from here on are of another future.
    case epoch
    case settle
    case resume
    case probe
    case backup
    /// A stage has stayed well for as long as was asked.
    case soak
    /// Somebody has approved the stage.
    case approve
    case conclude

    /// From here on the data directory is not what it was.
    public var touchesData: Bool {
        self == .restore || self == .setAside || self == .putBack
    }
}
