import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// Recovery windows in JSON, and drawn on a time axis.
struct WindowReport: Displayable {
    var observedAt: Timestamp
    var instances: [InstanceWindowView]

    init(_ found: [InstanceWindows], now: Timestamp) {
        observedAt = now
        instances = found.map(InstanceWindowView.init)
    }

    func lines(_ page: Page) -> [StyledText] {
        guard !instances.isEmpty else { return ["fleet.yaml declares no instances here"] }
        let drawn = instances.map { instanceLines($0, page) }.joined(separator: [""])
        let problems = instances.flatMap(\.problems).map { ($0.instance, $0.error) }
        return Array(drawn) + ProblemLines.lines(problems, page)
    }

    private func instanceLines(_ instance: InstanceWindowView, _ page: Page) -> [StyledText] {
        let title = StyledText(instance.instance, .accent)
        guard let start = (instance.windows.map(\.start) + instance.backups.map(\.stopTime)).min() else {
            return [title + StyledText("  cannot be restored: it has no backup with its WAL", .bad)]
        }
        let heading = title + StyledText("  " + Self.summary(instance, observedAt), .faint)
        let axis = TimeAxis(from: start, now: observedAt, rows: rows(instance))
        return [heading] + axis.lines(width: page.columns) + table(instance, page)
    }

    /// One row for each timeline.
    private func rows(_ instance: InstanceWindowView) -> [TimeAxis.Row] {
        let timelines = Set(instance.windows.map(\.timeline) + instance.backups.map(\.timeline)).sorted()
        return timelines.map { timeline in
            TimeAxis.Row(
                "timeline \(timeline)",
                spans: instance.windows.filter { $0.timeline == timeline }.map { window in
                    TimeAxis.Span(window.start, window.end, window.ending == "abandoned" ? .faint : .good)
                },
                marks: instance.backups.filter { $0.timeline == timeline }.map { backup in
                    TimeAxis.Mark(
                        backup.stopTime, backup.kind == "full" ? "F" : backup.kind == "diff" ? "D" : "I",
                        backup.problem == nil ? .strong : .bad)
                })
        }
    }

    private func table(_ instance: InstanceWindowView, _ page: Page) -> [StyledText] {
        var table = Table([
            .init("TL", .right), .init("FROM (UTC)"), .init("TO (UTC)"), .init("SPAN", .right),
            .init("ENDS", shrinksTo: 12),
        ])
        for window in instance.windows {
            table.add([
                StyledText("\(window.timeline)"), StyledText(Ages.second(window.start.nextWholeSecond)),
                StyledText(Ages.second(max(window.end, window.start.nextWholeSecond))),
                StyledText(Ages.rough(window.end - window.start)),
                Self.ending(window, observedAt),
            ])
        }
        let gaps = instance.windows.filter { $0.ending == "gap" }.flatMap { window in
            Paragraph.lines(
                "", "after \(Ages.second(window.end)): WAL segment \(window.missing ?? "") is missing", page, .bad)
        }
        return table.isEmpty ? [] : table.lines(width: page.width, indent: 2) + gaps
    }

    private static func ending(_ window: WindowView, _ now: Timestamp) -> StyledText {
        switch window.ending {
        case "gap": StyledText("at a gap", .bad)
        case "trimmed": StyledText("at a held backup", .faint)
        case "abandoned": StyledText("left by a restore", .faint)
        default: StyledText(Ages.ago(window.end, at: now), .good)
        }
    }

    private static func summary(_ instance: InstanceWindowView, _ now: Timestamp) -> String {
        let kinds = ["full", "diff", "incr"].compactMap { kind -> String? in
            let count = instance.backups.filter { $0.kind == kind }.count
            return count == 0 ? nil : "\(count) \(kind)"
        }
        let gaps = instance.windows.filter { $0.ending == "gap" }.count
        return (kinds.isEmpty ? "no backups" : kinds.joined(separator: ", "))
            + (gaps == 0 ? "" : ", \(InstanceChoice.counted(gaps, "gap"))")
    }
}

/// One instance's windows in JSON.
struct InstanceWindowView: Hashable, Codable, Sendable {
    var instance: String
    var windows: [WindowView]
    var backups: [BackupView]
    var problems: [RepositoryProblem]

    init(_ found: InstanceWindows) {
        instance = found.instance
        windows = found.windows.map(WindowView.init)
        backups = found.backups.map { BackupView($0, of: found.instance) }
        problems = RepositoryProblem.all(found)
    }
}

extension Timestamp {
    /// The moment itself when it is a whole second, else the next one: a window begins within a second.
    var nextWholeSecond: Timestamp {
        let second: Int64 = 1_000_000
        return Timestamp(microseconds: (microseconds + second - 1) / second * second)
    }
}
