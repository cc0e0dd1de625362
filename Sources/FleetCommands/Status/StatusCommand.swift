import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet status`
struct StatusCommand: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How every instance and application is, now.",
        discussion: """
            Everything is asked at once, each with a deadline: what does not answer costs its own row. What is not known \
            is shown as such.

              fleet status --cluster prod --watch
              fleet status -o json | jq '.instances[] | select(.problems != [])'
            """)

    @Option(help: ArgumentHelp("Only this cluster; may be repeated.", valueName: "name")) var cluster: [String] = []
    @Flag(help: "Look again every two seconds, until Ctrl-C.") var watch = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        for name in cluster { _ = try coordinator.inventory.platform(ofCluster: name) }
        let clusters = cluster.isEmpty ? nil : Set(cluster)
        guard watch else {
            try session.console.show(StatusReport(await coordinator.status(clusters: clusters)))
            return .done
        }
        let region = LiveRegion(session.console.output)
        while true {
            let report = StatusReport(await coordinator.status(clusters: clusters))
            if session.console.format == .table, session.console.output.isTerminal {
                let page = Page(width: session.console.output.width, isVerbose: global.verbose)
                let title = StyledText("\(Ages.moment(report.observedAt)), every 2s; Ctrl-C ends", .faint)
                await region.show([title, ""] + report.lines(page))
            } else if session.console.format == .table {
                try session.console.show(report)
            } else {
                session.console.output.write(try TextEncoding.jsonLine(report))
            }
            try await Task.sleep(for: .seconds(2))
        }
    }
}

/// The whole fleet in JSON.
struct StatusReport: Displayable {
    var observedAt: Timestamp
    var instances: [InstanceView]
    var applications: [ApplicationView]
    var sets: [SetView]

    /// A restore set.
    struct SetView: Hashable, Sendable, Codable {
        var name: String
        var members: [String]
        /// The newest that it can be restored to.
        var lastMark: MarkView?
        var problem: FleetError?
    }

    init(_ status: FleetStatus) {
        observedAt = status.observedAt
        sets = status.sets.map {
            SetView(
                name: $0.set, members: $0.members, lastMark: $0.lastMark.map(MarkView.init), problem: $0.problem)
        }
        instances = status.instances.map { InstanceView($0) }
        applications = status.applications.map(ApplicationView.init)
    }

    func lines(_ page: Page) -> [StyledText] {
        var lines = instances.isEmpty ? [] : InstanceTable.lines(instances, page)
        if !applications.isEmpty {
            lines += (lines.isEmpty ? [] : [""]) + ApplicationTable.lines(applications, page)
        }
        if !sets.isEmpty { lines += (lines.isEmpty ? [] : [""]) + setLines(page) }
        let problems =
            instances.flatMap { instance in instance.problems.map { (instance.name, $0) } }
            + applications.compactMap { application in application.problem.map { (application.name, $0) } }
            + sets.compactMap { set in set.problem.map { (set.name, $0) } }
        if lines.isEmpty { lines.append("fleet.yaml declares no instances and no applications here") }
        return lines + ProblemLines.lines(problems, page)
    }
}

extension StatusReport {
    private func setLines(_ page: Page) -> [StyledText] {
        var table = Table([
            .init("RESTORE SET", shrinksTo: 12), .init("MEMBERS", shrinksTo: 12), .init("LAST MARK"),
            .init("AGE", .right),
        ])
        for set in sets {
            table.add([
                StyledText(set.name, .accent), StyledText(set.members.joined(separator: " ")),
                set.lastMark.map { StyledText($0.name) } ?? StyledText("none", .caution),
                StyledText(set.lastMark.map { Ages.rough(observedAt - $0.createdAt) } ?? ""),
            ])
        }
        return table.lines(width: page.width)
    }
}

/// What is wrong, below a table.
enum ProblemLines {
    static func lines(_ problems: [(subject: String, error: FleetError)], _ page: Page) -> [StyledText] {
        guard !problems.isEmpty else { return [] }
        var lines: [StyledText] = ["", StyledText(InstanceChoice.counted(problems.count, "problem"), .bad)]
        for (subject, error) in problems {
            let text = error.cause.map { "\(error.message): \($0)" } ?? error.message
            let prefix = error.message.hasPrefix(subject) ? "" : "\(subject): "
            lines += Paragraph.lines("- ", prefix + text, page)
            if let hint = error.hint { lines += Paragraph.lines("  ", hint, page, .faint) }
        }
        return lines
    }
}

/// Text broken to the page, the first line behind a bullet and the others below it.
enum Paragraph {
    static func lines(
        _ bullet: String, _ text: String, _ page: Page, _ style: StyledText.Style = .plain, indent: Int = 2
    ) -> [StyledText] {
        let margin = String(repeating: " ", count: indent)
        let below = String(repeating: " ", count: DisplayText.columns(of: bullet))
        let limit = (page.width ?? 1 << 20) - indent - below.count
        return DisplayText.wrapped(text, to: limit).enumerated().map { index, row in
            StyledText(margin + (index == 0 ? bullet : below)) + StyledText(row, style)
        }
    }
}
