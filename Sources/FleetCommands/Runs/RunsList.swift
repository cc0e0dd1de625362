import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet runs list`
struct RunsList: FleetQuestion {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List runs, the newest first.")

    @Option(help: ArgumentHelp("At most so many.", valueName: "count")) var limit = 20
    @Option(help: "Only runs in this state; may be repeated.") var state: [RunState] = []
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be 1 or more") }
    }

    func answer(_ session: Session) async throws -> RunList {
        let coordinator = try await session.coordinator()
        try await coordinator.markAbandoned()
        let runs = try await coordinator.store.runs(states: state.isEmpty ? nil : Set(state), limit: limit)
        return RunList(runs: runs.map { RunView($0) })
    }
}

/// Runs in JSON.
struct RunList: Displayable {
    var runs: [RunView]

    func lines(_ page: Page) -> [StyledText] {
        guard !runs.isEmpty else { return ["there are no runs"] }
        var table = Table([
            .init("RUN"), .init("STATE"), .init("TOOK", .right), .init("BY", shrinksTo: 6),
            .init("WHAT", shrinksTo: 20),
        ])
        for run in runs {
            table.add([
                StyledText(run.id, .accent), RunStates.styled(run), StyledText(run.took),
                StyledText(run.startedBy), StyledText(run.title),
            ])
        }
        return table.lines(width: page.width)
    }
}

/// States in the colours of what they mean.
enum RunStates {
    static func styled(_ run: RunView) -> StyledText {
        if run.undoneBy != nil { return StyledText("undone", .faint) }
        switch run.state {
        case "succeeded": return StyledText(run.state, .good)
        case "failed", "interrupted": return StyledText(run.state, .bad)
        default: return StyledText(run.state, .caution)
        }
    }

    static func symbol(_ step: StepView) -> StyledText {
        switch step.state {
        case "done": StyledText("✓", .good)
        case "failed": StyledText("✗", .bad)
        case "running": StyledText("›", .accent)
        case "skipped": StyledText("-", .faint)
        default: StyledText("·", .faint)
        }
    }
}

extension RunView {
    /// How long it took; empty while it is not known.
    var took: String {
        endedAt.map { Ages.rough($0 - createdAt) } ?? ""
    }
}
