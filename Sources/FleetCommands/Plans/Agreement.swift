import FleetPluginAPI
import TerminalUI

/// Has something confirmed that has no plan.
enum Agreement {
    /// - Throws: `refused` when it is not confirmed, or nobody can be asked.
    static func ask(_ question: String, refusal: String, _ console: Console) async throws {
        guard Terminal.canAsk else {
            throw FleetError(
                .refused, "\(refusal): it was not confirmed", cause: "there is no terminal to ask at",
                hint: "confirm beforehand with --yes")
        }
        guard await Prompt.confirm(StyledText(question), word: "yes", on: console.error) else {
            throw FleetError(.refused, "\(refusal): it was not confirmed")
        }
    }
}
