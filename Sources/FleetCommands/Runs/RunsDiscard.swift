import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet runs discard`
struct RunsDiscard: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "Remove the data directories that a run kept beside as its way back.",
        discussion: "The run cannot be undone afterwards. Asks first.")

    @Argument(help: "The run.") var run: String
    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let record = try await coordinator.requireRun(run)
        if !yes, try coordinator.keepsDataBeside(record), record.state.isEnded {
            try await Agreement.ask(
                "Type yes to remove the old data kept by \(record.id); it cannot be undone then: ",
                refusal: "nothing was removed", session.console)
        }
        try session.console.show(Discarded(run: record.id, instances: try await coordinator.discard(record.id)))
        return .done
    }
}

/// What was removed, in JSON.
struct Discarded: Displayable {
    var run: String
    var instances: [String]

    func lines(_ page: Page) -> [StyledText] {
        [StyledText("done", .good) + "  removed the data that \(run) kept of \(instances.joined(separator: ", "))"]
    }
}
