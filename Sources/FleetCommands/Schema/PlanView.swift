import FleetConfig
import FleetCoordinator
import FleetPluginAPI

/// A plan in JSON, for programs that judge it. What `--plan-out` writes is another, exact form.
struct PlanView: Hashable, Sendable, Codable {
    /// `restore`, `restoreInto`, `search`, `rehearsal`, `drill`, `undo`, `backup`.
    var kind: String
    var title: String
    /// SHA-256 of the plan: what a confirmation is bound to.
    var hash: String
    var createdAt: Timestamp
    /// The target as it was asked for; absent where it is written out in full, and for plans without one.
    var asked: String?
    /// The run that it undoes.
    var undoes: String?
    /// The run that has done the same in copies.
    var rehearsedBy: String?
    /// The restore set whose members they are, and its mark.
    var set: PlanSetView?
    var members: [PlanMemberView]
    var applications: [PlanApplicationView]
    /// `refuse`, `terminate`.
    var sessions: String
    /// `auto`, `hold`, `put-back`.
    var onFailure: String
    var stages: [PlanStageView]
    var warnings: [String]
    var steps: [PlanStepView]

    /// - Parameter asked: the target as a person wrote it.
    init(_ plan: Plan, asked: String? = nil) throws {
        self.asked = asked
        kind = plan.kind.rawValue
        title = plan.title
        hash = try plan.hash()
        createdAt = plan.createdAt
        undoes = plan.undoes
        rehearsedBy = plan.rehearsedBy
        set = plan.set.map { PlanSetView($0, of: plan) }
        members = plan.members.map { PlanMemberView($0, of: plan) }
        applications = plan.applications.map(PlanApplicationView.init)
        sessions = plan.options.sessions.rawValue
        onFailure = plan.options.onFailure.rawValue
        stages = plan.stages.map(PlanStageView.init)
        warnings = plan.warnings
        steps = plan.steps.map(PlanStepView.init)
    }
}

/// The restore set of a plan in JSON.
struct PlanSetView: Hashable, Sendable, Codable {
    var name: String
    /// Absent where each member is restored to a time by its own clock.
    var mark: MarkView?
    /// That time, and how far apart the members are at most, in seconds.
    var time: Timestamp?
    var residual: Double?
    /// How long before the time that was asked for the mark was made. Seconds.
    var distance: Double?
    /// Other marks that could serve.
    var alternatives: [String]
    /// Names.
    var invariants: [String]
    var cut: VerdictView?

    init(_ set: SetPlan, of plan: Plan) {
        cut = SetVerdict(plan, steps: []).map(VerdictView.init)
        name = set.name
        mark = set.mark.map(MarkView.init)
        time = set.approximation?.time
        residual = set.approximation?.residual.seconds
        distance = set.distance?.seconds
        alternatives = set.alternatives
        invariants = set.invariants.map(\.name)
    }
}

/// One stage of a rollout in JSON.
struct PlanStageView: Hashable, Sendable, Codable {
    /// The environment.
    var name: String
    var instances: [String]
    var applications: [String]
    var needsApproval: Bool
    /// Who started the run may not approve it.
    var approvedByAnother: Bool
    /// How long it must stay well before the next stage. Seconds; absent where nothing is asked.
    var soak: Double?
    /// Probes of the stage's own.
    var probes: Int
    var maxFailures: Int
    /// Seconds, of the restores; absent where nothing is restored in it.
    var estimate: Double?

    init(_ stage: Plan.Stage) {
        name = stage.name
        instances = stage.instances
        applications = stage.applications
        needsApproval = stage.approval != nil
        approvedByAnother = stage.approval?.byAnother ?? false
        soak = stage.soak?.duration.seconds
        probes = stage.soak?.probes ?? 0
        maxFailures = stage.maxFailures
        estimate = stage.estimate?.seconds
    }
}

/// One instance of a plan in JSON.
struct PlanMemberView: Hashable, Sendable, Codable {
    var instance: String
    var environment: String
    var state: String
    var timeline: UInt32?
    var target: TargetView?
    /// `archive`, `setAside`, `none`.
    var wayBack: String
    /// Seconds.
    var estimate: Double?
    var estimateBasis: String?
    var sessions: [ServerSession]
    /// The scratch instance and its directory, for a restore beside.
    var into: String?
    var place: String?
    /// For an undo: `archive`, `setAside`, `untouched` where the server is only started, `nothing` where a copy is
    /// removed.
    var bringsBack: String?
    /// The repository that a backup goes to.
    var repository: String
    var backupKind: String?

    init(_ member: Plan.Member, of plan: Plan) {
        instance = member.instance
        environment = member.environment
        state = member.state.rawValue
        timeline = member.timeline
        if plan.kind == .undo {
            bringsBack = member.scratch != nil ? "nothing" : member.undo?.wayBack.rawValue ?? "untouched"
        }
        // What an undo does not replay has the target of the run that it undoes.
        if bringsBack == nil || bringsBack == "archive" {
            target = member.target.map { TargetView($0, of: member.instance) }
        }
        wayBack = member.wayBack.rawValue
        estimate = member.estimate?.duration.seconds
        estimateBasis = member.estimate?.basis
        sessions = member.sessions
        into = member.scratch?.name
        place = member.scratch?.place
        repository = member.repository
        backupKind = member.backup?.kind.rawValue
    }
}

/// One application of a plan in JSON.
struct PlanApplicationView: Hashable, Sendable, Codable {
    var name: String
    var cluster: String
    var environment: String
    var uses: [String]
    var scale: ScaleView

    init(_ application: Plan.ApplicationPlan) {
        name = application.name
        cluster = application.cluster
        environment = application.environment
        uses = application.uses
        scale = ScaleView(application.scale)
    }
}

/// One step of a plan in JSON. Steps of one phase are carried out together.
struct PlanStepView: Hashable, Sendable, Codable {
    var id: String
    var phase: Int
    var kind: String
    var subject: String
    var title: String
    /// Absent where the plan has no stages.
    var stage: String?

    init(_ step: StepPlan) {
        stage = step.stage
        id = step.id
        phase = step.phase
        kind = step.kind.rawValue
        subject = step.subject
        title = step.title
    }
}
