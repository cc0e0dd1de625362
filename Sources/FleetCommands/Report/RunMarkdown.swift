import FleetPluginAPI

/// A run as Markdown, for tickets and reviews.
enum RunMarkdown {
    static func text(_ document: RunDocument) -> String {
        var lines = ["# \(escaped(document.run.title.capitalizedFirst))", ""]
        lines += table(["", ""], document.facts.map { [$0.0, $0.1] })
        if !document.stages.isEmpty {
            lines += ["", "## Stages", ""]
            lines += table(
                ["Stage", "State", "Took", "Estimate", "Decision"],
                document.stages.map { stage in
                    [
                        stage.name, stage.state, stage.took.map { Ages.rough(.seconds($0)) } ?? "",
                        stage.estimate.map { Ages.rough(.seconds($0)) } ?? "", stage.decision,
                    ]
                })
        }
        for member in document.members {
            lines += ["", "## \(escaped(member.view.instance))", ""]
            lines += table(["", ""], member.facts.map { [$0.0, $0.1] })
        }
        if let verdict = document.verdict {
            lines += ["", "## The cut", "", "\(escaped(verdict.cut)): \(escaped(verdict.statement))", ""]
            lines += table(
                ["Invariant", "Held", "Found"],
                (verdict.invariants ?? []).map { [$0.check, $0.passed ? "yes" : "no", $0.reason ?? $0.value ?? ""] })
        }
        lines += ["", "## What was done", ""]
        lines += table(
            ["Began", "Took", "State", "Step"],
            (document.run.steps ?? []).map { step in
                [
                    step.startedAt?.clockText ?? "", step.duration.map { Ages.rough($0) } ?? "", step.state,
                    step.title + (step.error.map { ": \($0)" } ?? ""),
                ]
            })
        if !document.plan.warnings.isEmpty {
            lines += ["", "## What the plan warned of", ""] + document.plan.warnings.map { "- \(escaped($0))" }
        }
        lines += ["", "## Remarks", ""]
        lines += document.remarks.map { "- \($0.time.clockText) \(escaped($0.message))" }
        lines += ["", "Written \(Ages.moment(document.writtenAt.wholeSecond)) by fleet. Times are UTC."]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> [String] {
        let line = { (cells: [String]) in "| " + cells.map(escaped).joined(separator: " | ") + " |" }
        return [line(head), "|" + String(repeating: "---|", count: head.count)] + rows.map(line)
    }

    /// What is found in names and errors must not become markup.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if character.isNewline {
                result += " "
            } else {
                if "\\`*_{}[]<>#|".contains(character) { result.append("\\") }
                result.append(character)
            }
        }
        return result
    }
}

extension RunStageView {
    /// What people have said of it, in a sentence; empty where nothing is asked.
    var decision: String {
        guard let approval else { return needsApproval ? "waits for an approval" : "" }
        return "\(approval.isApproved ? "approved" : "rejected") by \(approval.by), "
            + "\(Ages.moment(approval.at.wholeSecond)): \(approval.reason)"
    }
}
