import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet mark list`
struct MarkList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List marks, the newest first, and whether they can be restored to.")

    @Option(help: ArgumentHelp("Only of this restore set.", valueName: "name")) var set: String?
    @Option(help: ArgumentHelp("So many at most.", valueName: "count")) var limit: Int = 20
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
    }

    func answer(_ session: Session) async throws -> MarkTable {
        let coordinator = try await session.coordinator()
        return MarkTable(
            observedAt: coordinator.now,
            marks: try await coordinator.marks(of: set, limit: limit).map { MarkView($0) })
    }
}

/// Marks in JSON.
struct MarkTable: Displayable {
    var observedAt: Timestamp
    var marks: [MarkView]

    func lines(_ page: Page) -> [StyledText] {
        var table = Table([
            .init("MARK"), .init("AGE", .right), .init("STATE"), .init("SKEW", .right), .init("HELD", .right),
            .init("MEMBERS", shrinksTo: 12), .init("", shrinksTo: 20),
        ])
        for mark in marks {
            table.add([
                StyledText(mark.name, .accent), StyledText(Ages.rough(observedAt - mark.createdAt)),
                StyledText(mark.state, mark.style), StyledText(mark.skew.map(Ages.exact) ?? ""),
                StyledText(mark.longestHold.map(Ages.exact) ?? ""),
                StyledText(mark.members.map(\.instance).joined(separator: " ")),
                StyledText(mark.error?.message ?? ""),
            ])
        }
        return marks.isEmpty ? ["there are no marks"] : table.lines(width: page.width)
    }
}
