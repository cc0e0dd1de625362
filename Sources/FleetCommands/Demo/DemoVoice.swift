import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// How the demo talks: chapters, facts, steps as they are done.
struct DemoVoice: Sendable {
    let console: Console

    func chapter(_ title: String, _ text: String) {
        say("")
        say(StyledText(title, .strong))
        say(StyledText(text, .faint))
    }

    func fact(_ name: String, _ value: String) {
        say(StyledText("  \(name): ") + StyledText(value, .strong))
    }

    func say(_ text: StyledText) {
        console.output.write(text)
    }

    /// Does something that takes a moment, and says how long it took.
    func watch(_ title: String, _ body: () async throws -> Void) async throws {
        let start = ContinuousClock.now
        try await body()
        say(StyledText("  \(title)  ") + StyledText(DurationText.text(ContinuousClock.now - start), .faint))
    }

    func show(_ value: some Displayable) throws {
        say("")
        try console.show(value)
    }
}
