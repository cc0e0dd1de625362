import FleetCoordinator
import FleetPluginAPI
import FleetStore

/// How the demo talks: chapters, facts, steps as they are done.
struct DemoVoice: Sendable {
    /// Writes a line for people.
    let say: @Sendable (String) -> Void
    /// Styles, or plain text where there is no colour.
    let bold: @Sendable (String) -> String
    let dim: @Sendable (String) -> String
    let renderPlan: @Sendable (Plan) -> String
    let renderWindows: @Sendable ([InstanceWindows], Timestamp) -> String
    let observer: @Sendable (Plan) -> any RunObserver

    func chapter(_ title: String, _ text: String) {
        say("")
        say(bold(title) + "  " + dim(text))
    }

    func fact(_ name: String, _ value: String) {
        say("  \(name): \(bold(value))")
    }

    /// Does something that takes a moment, and says how long it took.
    func watch(_ title: String, _ body: () async throws -> Void) async throws {
        let start = ContinuousClock.now
        try await body()
        say("  \(title)  " + dim(DurationText.text(ContinuousClock.now - start)))
    }

    func show(_ plan: Plan) {
        say(renderPlan(plan))
    }

    func show(windows: [InstanceWindows], now: Timestamp) {
        say("")
        say(renderWindows(windows, now))
    }

    func observer(of plan: Plan) -> any RunObserver {
        observer(plan)
    }
}
