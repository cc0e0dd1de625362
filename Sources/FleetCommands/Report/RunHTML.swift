import FleetPluginAPI

/// A run as a page: a drawing of when what was done, and the evidence.
enum RunHTML {
    static func text(_ document: RunDocument) -> String {
        let run = document.run
        var body = ["<h1>\(HTML.text(run.title.capitalizedFirst)) \(HTML.badge(run.state))</h1>"]
        body.append(HTML.facts(document.facts.filter { $0.0 != "State" }))
        if !document.stages.isEmpty {
            body.append("<h2>Stages</h2>")
            body.append(
                HTML.table(
                    ["Stage", "State", "Took", "Estimate", "Decision"],
                    document.stages.map { stage in
                        [
                            HTML.text(stage.name), HTML.badge(stage.state),
                            stage.took.map { Ages.rough(.seconds($0)) } ?? "",
                            stage.estimate.map { Ages.rough(.seconds($0)) } ?? "", HTML.text(stage.decision),
                        ]
                    }))
        }
        if let drawing = RunTimeline(run.steps ?? [], document.plan.steps).svg {
            body += ["<h2>When what was done</h2>", "<figure>\(drawing)</figure>"]
        }
        for member in document.members {
            body += ["<h2>\(HTML.text(member.view.instance))</h2>", HTML.facts(member.facts)]
        }
        if let verdict = document.verdict { body += cut(verdict) }
        body.append("<h2>Steps</h2>")
        body.append(
            HTML.table(
                ["Began", "Took", "State", "Step"],
                (run.steps ?? []).map { step in
                    [
                        step.startedAt?.clockText ?? "", step.duration.map { Ages.rough($0) } ?? "",
                        HTML.badge(step.state),
                        HTML.text(step.title)
                            + (step.error.map { "<br><span class=\"faint\">\(HTML.text("\($0)"))</span>" } ?? ""),
                    ]
                }))
        if !document.plan.warnings.isEmpty {
            body += ["<h2>What the plan warned of</h2>", list(document.plan.warnings)]
        }
        body += ["<h2>Remarks</h2>", list(document.remarks.map { "\($0.time.clockText)  \($0.message)" })]
        body.append(
            "<p class=\"faint\">Written \(HTML.text(Ages.moment(document.writtenAt.wholeSecond))) by fleet. "
                + "Times are UTC.</p>")
        return HTML.page(title: run.title, style: HTML.style, body)
    }

    private static func cut(_ verdict: VerdictView) -> [String] {
        var body = [
            "<h2>The cut</h2>", "<p>\(HTML.text(verdict.cut)): \(HTML.text(verdict.statement))</p>",
            HTML.table(
                ["Member", "Mark", "Restored to", "Last commit", "Commits given up"],
                verdict.members.map { member in
                    [
                        HTML.text(member.instance), member.markLSN ?? "", member.restoredTo ?? "",
                        member.lastCommitAt.map(Ages.moment) ?? "", "\(member.lostCommits)",
                    ]
                }),
        ]
        if let invariants = verdict.invariants, !invariants.isEmpty {
            body.append(
                HTML.table(
                    ["Invariant", "Held", "Found"],
                    invariants.map { check in
                        [
                            HTML.text(check.check), HTML.badge(check.passed ? "yes" : "no"),
                            HTML.text(check.reason ?? check.value ?? ""),
                        ]
                    }))
        }
        return body
    }

    private static func list(_ lines: [String]) -> String {
        "<ul>" + lines.map { "<li>\(HTML.text($0))</li>" }.joined(separator: "\n") + "</ul>"
    }
}

/// Steps as bars over time, side by side where they were.
struct RunTimeline {
    private let steps: [StepView]
    private let stages: [String: String]

    private static let width = 960.0
    private static let label = 300.0
    private static let row = 18.0

    init(_ steps: [StepView], _ plan: [PlanStepView]) {
        self.steps = steps.filter { $0.startedAt != nil }
        stages = Dictionary(uniqueKeysWithValues: plan.compactMap { step in step.stage.map { (step.id, $0) } })
    }

    /// Nil where nothing was begun.
    var svg: String? {
        guard let start = steps.compactMap(\.startedAt).min() else { return nil }
        let end = steps.map { $0.endedAt ?? $0.startedAt ?? start }.max() ?? start
        let span = max(0.001, (end - start).seconds)
        let scale = (Self.width - Self.label - 60) / span
        var rows: [String] = []
        var y = 8.0
        var stage: String?
        for step in steps {
            if let name = stages[step.id], name != stage {
                y += 14
                rows.append(
                    "<text x=\"0\" y=\"\(y)\" font-weight=\"600\" fill=\"#2f5fc4\">\(HTML.text(name))</text>")
                y += 6
            }
            stage = stages[step.id]
            guard let began = step.startedAt else { continue }
            let x = Self.label + (began - start).seconds * scale
            let length = max(2, ((step.endedAt ?? end) - began).seconds * scale)
            let colour =
                switch step.state {
                case "failed": "#d92d20"
                case "done": step.kind == "soak" || step.kind == "approve" ? "#d8a13a" : "#3f77d6"
                default: "#98a2b3"
                }
            let took = step.duration.map { Ages.rough($0) } ?? step.state
            rows.append(
                "<text x=\"\(Self.label - 8)\" y=\"\(y + 12)\" text-anchor=\"end\" fill=\"#1c2330\">"
                    + "\(HTML.text(String(step.title.prefix(52))))</text>"
                    + "<rect x=\"\(x)\" y=\"\(y + 3)\" width=\"\(length)\" height=\"12\" rx=\"2\" fill=\"\(colour)\"/>"
                    + "<text x=\"\(x + length + 5)\" y=\"\(y + 12)\" fill=\"#667085\">\(HTML.text(took))</text>")
            y += Self.row
        }
        return "<svg viewBox=\"0 0 \(Self.width) \(y + 8)\" role=\"img\" "
            + "aria-label=\"The run's steps over time\">\(rows.joined(separator: "\n"))</svg>"
    }
}
