import FleetPluginAPI
import FleetStore

/// A run in JSON.
struct RunView: Hashable, Sendable, Codable {
    var id: String
    var kind: String
    var title: String
    /// `running`, `waiting`, `interrupted`, `succeeded`, `failed`, `aborting`, `aborted`.
    var state: String
    var planHash: String
    var startedBy: String
    var createdAt: Timestamp
    var updatedAt: Timestamp
    var endedAt: Timestamp?
    var error: FleetError?
    var undoes: String?
    var undoneBy: String?
    /// Where the run was asked for alone; absent in lists.
    var steps: [StepView]?

    init(_ run: RunRecord, steps: [StepRecord]? = nil) {
        id = run.id
        kind = run.kind
        title = run.title
        state = run.state.rawValue
        planHash = run.planHash
        startedBy = run.startedBy
        createdAt = run.createdAt
        updatedAt = run.updatedAt
        endedAt = run.endedAt
        error = run.error
        undoes = run.undoes
        undoneBy = run.undoneBy
        self.steps = steps?.map(StepView.init)
    }
}

/// One step of a run in JSON.
struct StepView: Hashable, Sendable, Codable {
    var id: String
    var kind: String
    var title: String
    /// `pending`, `running`, `done`, `skipped`, `failed`, `compensating`, `compensated`.
    var state: String
    var attempts: Int
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    /// What the step found or made.
    var output: JSONValue?
    var error: FleetError?

    init(_ step: StepRecord) {
        id = step.id
        kind = step.kind
        title = step.title
        state = step.state.rawValue
        attempts = step.attempts
        startedAt = step.startedAt
        endedAt = step.endedAt
        output = step.output
        error = step.error
    }

    var duration: Duration? {
        guard let startedAt, let endedAt else { return nil }
        return endedAt - startedAt
    }
}
