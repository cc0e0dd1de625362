import FleetCoordinator
import FleetPluginAPI

/// One application and its scale in JSON.
struct ApplicationView: Hashable, Sendable, Codable {
    var name: String
    var cluster: String
    var environment: String
    var uses: [String]
    var scale: ScaleView?
    var problem: FleetError?

    init(_ status: ApplicationStatus) {
        name = status.application
        cluster = status.cluster
        environment = status.environment
        uses = status.uses
        scale = status.scale.map(ScaleView.init)
        problem = status.problem
    }
}

/// How an application is scaled, in JSON.
struct ScaleView: Hashable, Sendable, Codable {
    var desired: Int
    var running: Int
    var ready: Int
    /// The run that took it down and has not brought it back.
    var takenDownBy: String?
    /// What it was before that run.
    var original: Int?
    var remarks: [String]

    init(_ scale: ScaleObservation) {
        desired = scale.desired
        running = scale.running
        ready = scale.ready
        takenDownBy = scale.record?.run
        original = scale.record?.original
        remarks = scale.remarks
    }

    /// `3`, `2 of 3 ready`, `down by r-20251218-103000-7f3k`
    var text: String {
        if let takenDownBy { return "down by \(takenDownBy)" }
        if ready == desired, running == desired { return "\(desired)" }
        return "\(ready) of \(desired) ready"
    }
}
