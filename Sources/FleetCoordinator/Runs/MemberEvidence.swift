public import FleetPluginAPI
public import FleetStore

/// What a run has proven of an instance while it was paused at its target, and what it left.
public struct MemberEvidence: Hashable, Sendable {
    /// Nil until it stood there.
    public var replay: ReplayObservation?
    public var checks: [DataCheckResult]
    /// The label of the backup that was made afterwards.
    public var backup: String?

    public init(_ instance: String, steps: [StepRecord]) {
        func output(_ kind: StepKind) -> JSONValue? {
            steps.first { $0.id == StepPlan.id(kind, instance) && $0.state == .done }?.output
        }
        let verified = output(.verify)
        replay = verified?["replay"].flatMap { try? CanonicalJSON.decode(ReplayObservation.self, from: $0) }
        checks = (verified?["checks"]?.array ?? []).compactMap {
            try? CanonicalJSON.decode(DataCheckResult.self, from: $0)
        }
        backup = output(.backup)?["label"]?.string
    }
}
