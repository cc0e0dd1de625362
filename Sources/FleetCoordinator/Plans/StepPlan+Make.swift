extension StepPlan {
    /// The id of the step of this kind for this subject; one of each in a plan.
    static func id(_ kind: StepKind, _ subject: String) -> String {
        subject.isEmpty ? kind.rawValue : "\(kind.rawValue):\(subject)"
    }
}

/// Puts steps together phase by phase.
struct StepList {
    private(set) var steps: [StepPlan] = []
    /// Of the steps that are added from here on.
    var stage: String?
    private var phase = 0

    /// Adds a phase: one step of this kind for each subject. No subjects, no phase.
    mutating func add(_ kind: StepKind, _ subjects: [String], _ title: (String) -> String) {
        guard !subjects.isEmpty else { return }
        steps += subjects.map {
            StepPlan(id: StepPlan.id(kind, $0), phase: phase, kind: kind, subject: $0, title: title($0), stage: stage)
        }
        phase += 1
    }

    mutating func add(_ kind: StepKind, _ title: String) {
        add(kind, [""]) { _ in title }
    }
}
