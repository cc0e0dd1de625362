import ArgumentParser
import FleetConfig
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet drill list`
struct DrillList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "When each instance was last proven to be restorable, and how long that took.")

    @Argument(help: "The instances; all without any.") var instances: [String] = []
    @Option(help: ArgumentHelp("At most so many drills.", valueName: "count")) var limit = 200
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be 1 or more") }
    }

    func answer(_ session: Session) async throws -> DrillTable {
        let coordinator = try await session.coordinator()
        let names = try InstanceChoice.names(instances, in: coordinator.inventory)
        let results = try await coordinator.drills(of: Set(names), limit: limit).map(DrillView.init)
        let configuration = coordinator.inventory.configuration
        let standing = names.map { name in
            let policy = configuration.instances[name]?.policy.flatMap { configuration.policies[$0] }
            return DrillTable.Standing(name, results, every: policy?.drillEvery, now: coordinator.now)
        }
        return DrillTable(instances: standing, drills: results)
    }
}

/// Drills in JSON, and how each instance stands.
struct DrillTable: Displayable {
    var instances: [Standing]
    /// Newest first.
    var drills: [DrillView]

    /// How an instance stands.
    struct Standing: Hashable, Sendable, Codable {
        var instance: String
        /// `proven`, `overdue`, `failing` (the last drill), `never`.
        var state: String
        var lastPassedAt: Timestamp?
        /// Seconds that the last one that passed took, and that the policy allows.
        var took: Double?
        var rto: Double?
        /// When the next one is due; absent where the policy asks for none.
        var dueAt: Timestamp?

        init(_ name: String, _ drills: [DrillView], every: Duration?, now: Timestamp) {
            instance = name
            let own = drills.filter { drill in
                drill.verdict != "running" && drill.members.contains { $0.instance == name }
            }
            let passed = own.first { $0.verdict == "passed" }
            lastPassedAt = passed?.at
            let member = passed?.members.first { $0.instance == name }
            took = member?.took
            rto = member?.rto
            if let every { dueAt = passed.map { $0.at + every } ?? now }
            let isDue = dueAt.map { $0 <= now } ?? false
            state =
                own.first.map { $0.verdict != "passed" } == true
                ? "failing" : passed == nil ? "never" : isDue ? "overdue" : "proven"
        }
    }

    func lines(_ page: Page) -> [StyledText] {
        var table = Table([
            .init("INSTANCE", shrinksTo: 10), .init("STATE"), .init("LAST PROVEN (UTC)"), .init("TOOK", .right),
            .init("RTO", .right), .init("NEXT DUE (UTC)"),
        ])
        for standing in instances {
            let style: StyledText.Style =
                switch standing.state {
                case "proven": .good
                case "never": standing.dueAt == nil ? .faint : .bad
                default: .bad
                }
            table.add([
                StyledText(standing.instance, .accent), StyledText(standing.state, style),
                StyledText(standing.lastPassedAt.map(Ages.second) ?? "-"),
                StyledText(standing.took.map { Ages.rough(.seconds($0)) } ?? ""),
                StyledText(standing.rto.map { Ages.rough(.seconds($0)) } ?? ""),
                StyledText(standing.dueAt.map(Ages.second) ?? ""),
            ])
        }
        var lines = table.lines(width: page.width)
        guard !drills.isEmpty else { return lines }
        lines += ["", StyledText("Drills", .strong)]
        for drill in drills {
            lines.append(
                StyledText("  \(Ages.second(drill.at))  ", .faint) + drill.styledVerdict
                    + StyledText("  \(drill.members.map(\.instance).joined(separator: ", "))  ")
                    + StyledText(drill.run, .faint))
        }
        return lines
    }
}
