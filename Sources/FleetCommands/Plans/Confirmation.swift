import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// Shows a plan and has it confirmed.
struct Confirmation: Sendable {
    let coordinator: Coordinator
    let console: Console
    /// `--yes`
    let isGiven: Bool

    /// Returns when the plan may be carried out.
    ///
    /// - Throws: `refused` without a confirmation; `drifted` when the world changed while it was thought about.
    func ask(_ plan: Plan, asked: String? = nil) async throws {
        console.present(try PlanView(plan, asked: asked))
        if isGiven { return }
        guard Terminal.canAsk else {
            throw FleetError(
                .refused, "nothing was done: the plan was not confirmed", cause: "there is no terminal to ask at",
                hint: "confirm beforehand with --yes")
        }
        console.say("")
        let question = StyledText("Type ") + StyledText("yes", .strong) + StyledText(" to carry it out: ")
        guard await Prompt.confirm(question, word: "yes", on: console.error) else {
            throw FleetError(.refused, "nothing was done: the plan was not confirmed")
        }
        if coordinator.now - plan.createdAt > Self.freshness { try await coordinator.checkDrift(plan) }
    }

    /// A plan that was looked at longer than this is compared with the world again.
    private static let freshness: Duration = .seconds(60)
}
