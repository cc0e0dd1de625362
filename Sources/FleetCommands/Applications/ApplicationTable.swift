import FleetPluginAPI
import TerminalUI

/// Applications as people read them, a row each.
enum ApplicationTable {
    static func lines(_ applications: [ApplicationView], _ page: Page) -> [StyledText] {
        var table = Table([
            .init("APPLICATION", shrinksTo: 12), .init("CLUSTER", shrinksTo: 8), .init("ENVIRONMENT"),
            .init("RUNNING"), .init("USES", shrinksTo: 10),
        ])
        for application in applications {
            table.add([
                StyledText(application.name, .accent), StyledText(application.cluster),
                StyledText(application.environment), scale(application.scale),
                StyledText(application.uses.joined(separator: ", ")),
            ])
        }
        let remarks = applications.flatMap { application in
            (application.scale?.remarks ?? []).flatMap {
                Paragraph.lines("- ", "\(application.name): \($0)", page, .faint)
            }
        }
        return table.lines(width: page.width) + remarks
    }

    static func scale(_ scale: ScaleView?) -> StyledText {
        guard let scale else { return StyledText("unknown", .bad) }
        if scale.takenDownBy != nil { return StyledText(scale.text, .caution) }
        if scale.desired == 0 { return StyledText("stopped", .caution) }
        return StyledText(scale.text, scale.ready >= scale.desired ? .good : .caution)
    }
}
