import ArgumentParser
import FleetPluginAPI
import FleetPluginHost
import TerminalUI

/// `fleet agent`, for its help: real calls are taken by `AgentCall`.
struct AgentCommand: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "What runs beside the data: archive_command, restore_command, backup and restore tasks.",
        usage: "fleet [--config FILE] agent VERB --instance NAME ARGUMENTS…",
        discussion: """
            PostgreSQL and fleet's platforms call it; people seldom do. What to put into postgresql.conf:
              fleet instances archiving NAME

            Events are JSON lines on standard output, remarks for PostgreSQL's log on standard error. Without \
            arguments it lists the verbs.
            """)

    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> AgentVerbList {
        AgentVerbList(
            verbs: session.registry.agentVerbs.map {
                AgentVerbView(name: $0.name, usage: $0.usage, summary: $0.summary)
            })
    }
}

/// What `fleet agent` can do, in JSON.
struct AgentVerbList: Displayable {
    var verbs: [AgentVerbView]

    func lines(_ page: Page) -> [StyledText] {
        var table = Table([.init("VERB"), .init("ARGUMENTS"), .init("SUMMARY", shrinksTo: 20)])
        for verb in verbs {
            table.add([StyledText(verb.name, .accent), StyledText(verb.usage), StyledText(verb.summary)])
        }
        return table.lines(width: page.width)
    }
}

struct AgentVerbView: Hashable, Codable, Sendable {
    var name: String
    /// The arguments after `--instance NAME`.
    var usage: String
    var summary: String
}
