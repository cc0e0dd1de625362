import FleetPluginAPI
import FleetStore

/// What a step makes true.
protocol StepPerformer: Sendable {
    /// Its output when what it makes true is so already; nil when there is something to do. Changes nothing.
    func observe(_ context: StepContext) async throws -> JSONValue?

    /// Makes it true. Safe to repeat after a crash at any point of it.
    func perform(_ context: StepContext) async throws -> JSONValue
}

extension StepPerformer {
    func observe(_ context: StepContext) async throws -> JSONValue? { nil }
}

/// What a step works with.
struct StepContext: Sendable {
    var run: String
    var step: StepPlan
    /// Of a step that does the same more than once: what tells these apart.
    var part: String?
    /// 1 when the step is carried out for the first time: only then has nobody begun its work before.
    var attempt: Int
    var plan: Plan
    var inventory: Inventory
    var servers: any DatabaseServers
    var store: any StateStore
    var clock: @Sendable () -> Timestamp
    /// When the step was begun for the first time.
    var startedAt: Timestamp
    /// Whether decisions of people are waited for here; otherwise `WaitsForPeople` is thrown.
    var waitsForPeople: Bool
    /// Writes down whether the run waits for people.
    var becomeWaiting: @Sendable (Bool) async throws -> Void
    /// The journaled output of another step of this run; nil while it is not done.
    var output: @Sendable (String) async -> JSONValue?
    var note: @Sendable (String) async -> Void
    var progress: @Sendable (TaskProgress) async -> Void
    /// Remembers how long a piece of work took, for later estimates.
    var recordDuration: @Sendable (_ kind: String, _ subject: String, _ bytes: Int64, Duration) async -> Void

    func member() throws -> Plan.Member {
        guard let member = plan.member(step.subject) else {
            throw FleetError(.drifted, "the plan has no member \(step.subject)")
        }
        return member
    }

    func application() throws -> Plan.ApplicationPlan {
        guard let application = plan.application(step.subject) else {
            throw FleetError(.drifted, "the plan has no application \(step.subject)")
        }
        return application
    }

    /// A task key that is the same whenever this step is carried out, and no other's.
    var taskKey: String {
        "\(step.kind.rawValue)-\(run)-\(shortHash(step.subject + (part.map { " \($0)" } ?? "")))"
    }
}

/// The step cannot go on before somebody has decided, and is not to wait for that.
struct WaitsForPeople: Error {}

/// Somebody has asked that the run stop, while a step waited.
struct AskedToStop: Error {}

/// Eight hexadecimal digits for a name of any length (FNV-1a).
func shortHash(_ text: String) -> String {
    let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
}
