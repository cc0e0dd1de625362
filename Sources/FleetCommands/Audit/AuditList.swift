import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet audit list`
struct AuditList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what was done, oldest first.",
        discussion: "  fleet audit list --after 120 -o json      what came after entry 120")

    @Option(help: ArgumentHelp("Only entries after the one of this number.", valueName: "number")) var after: Int64?
    @Option(help: ArgumentHelp("At most so many: the newest, or with --after the next ones.", valueName: "count"))
    var limit = 100
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be 1 or more") }
    }

    func answer(_ session: Session) async throws -> AuditTrail {
        let store = try await session.coordinator().store
        if let after { return AuditTrail(entries: try await store.auditEntries(after: after, limit: limit)) }
        var newest: [AuditEntry] = []
        var sequence: Int64 = 0
        while true {
            let entries = try await store.auditEntries(after: sequence, limit: 1000)
            guard let last = entries.last else { return AuditTrail(entries: newest) }
            newest = Array((newest + entries).suffix(limit))
            sequence = last.sequence
        }
    }
}

/// Audit entries in JSON.
struct AuditTrail: Displayable {
    var entries: [AuditEntry]

    func lines(_ page: Page) -> [StyledText] {
        guard !entries.isEmpty else { return ["nothing was done yet"] }
        var table = Table([
            .init("NO", .right), .init("TIME (UTC)"), .init("WHO", shrinksTo: 10), .init("ACTION"),
            .init("SUBJECT", shrinksTo: 12), .init("DETAILS", shrinksTo: 10),
        ])
        for entry in entries {
            table.add([
                StyledText("\(entry.sequence)"), StyledText(Ages.second(entry.time)), StyledText(entry.actor),
                StyledText(entry.action), StyledText(entry.subject, .accent), StyledText(details(entry), .faint),
            ])
        }
        return table.lines(width: page.width)
    }

    private func details(_ entry: AuditEntry) -> String {
        guard let details = entry.details else { return "" }
        if let title = details["title"]?.string { return title }
        return ((try? TextEncoding.jsonLine(details)) ?? "").replacing("\n", with: "")
    }
}
