import FleetPluginAPI
import TerminalUI

extension PlanView: Displayable {
    /// Everything a person must know before saying yes, readable at 80 columns.
    func lines(_ page: Page) -> [StyledText] {
        var lines = Paragraph.lines("", title.capitalizedFirst, page, .strong, indent: 0)
        if let rehearsedBy {
            lines += Paragraph.lines(
                "", "rehearsed by run \(rehearsedBy), in copies that passed all checks", page, .good)
        }
        if let set { lines += [""] + set.lines(page) }
        for member in members {
            lines += [""] + MemberLines(member: member, plan: self, page: page).lines
        }
        lines += applicationLines(page)
        if !stages.isEmpty { lines += ["", StyledText("Stages, one after the other", .strong)] }
        for stage in stages { lines += stage.lines(page) }
        if !warnings.isEmpty { lines.append("") }
        for warning in warnings {
            lines += Paragraph.lines("! ", warning, page, .caution, indent: 0)
        }
        lines += ["", StyledText("Steps", .strong)] + StepLines.lines(steps, page)
        let digest = page.isVerbose ? hash : String(hash.prefix(16))
        return lines + ["", StyledText("plan \(digest), made \(Ages.moment(createdAt.wholeSecond))", .faint)]
    }

    private func applicationLines(_ page: Page) -> [StyledText] {
        guard !applications.isEmpty else { return [] }
        var table = Table([
            .init("APPLICATION", shrinksTo: 12), .init("CLUSTER", shrinksTo: 8), .init("ENVIRONMENT"),
            .init("RUNNING NOW"), .init("USES", shrinksTo: 10),
        ])
        for application in applications {
            table.add([
                StyledText(application.name, .accent), StyledText(application.cluster),
                StyledText(application.environment), ApplicationTable.scale(application.scale),
                StyledText(application.uses.joined(separator: ", ")),
            ])
        }
        return ["", StyledText("Applications that are taken down and brought back as they are now", .strong)]
            + table.lines(width: page.width, indent: 2)
    }
}

extension PlanStageView {
    func lines(_ page: Page) -> [StyledText] {
        var facts: [String] = []
        if needsApproval {
            facts.append(approvedByAnother ? "after another person has approved it" : "after an approval")
        }
        if !instances.isEmpty {
            let time = estimate.map { " (about \(Ages.rough(.seconds($0))))" } ?? ""
            facts.append("restores \(instances.joined(separator: ", "))\(time)")
        }
        if !applications.isEmpty { facts.append("brings back \(applications.joined(separator: ", "))") }
        if let soak, soak > 0 { facts.append("must stay well for \(Ages.rough(.seconds(soak)))") }
        if probes > 0 { facts.append("\(InstanceChoice.counted(probes, "probe")) of its own") }
        if maxFailures > 0 { facts.append("\(maxFailures) of its applications may be unwell") }
        return Paragraph.lines("  \(name)  ", facts.joined(separator: "; "), page)
    }
}

extension PlanSetView {
    func lines(_ page: Page) -> [StyledText] {
        var card = Card(page, nameColumns: 10)
        if let mark { card.add("mark", "\(mark.name), \(mark.kind), made \(Ages.moment(mark.createdAt.wholeSecond))") }
        if let time, let residual {
            card.add(
                "about", "\(Ages.moment(time)), each member by its own clock, \(Ages.exact(residual)) apart at most")
        }
        if let distance { card.add("is", "\(Ages.rough(.seconds(distance))) before the time that was asked for") }
        card.add("checks", invariants.isEmpty ? "nothing between the members" : invariants.joined(separator: "; "))
        if !alternatives.isEmpty { card.add("else", alternatives.joined(separator: ", ")) }
        return [StyledText(name, .accent) + StyledText("  restore set")] + card.lines + (cut?.lines(page) ?? [])
    }
}

/// The numbered steps of a plan; those that are carried out together have one number.
enum StepLines {
    static func lines(_ steps: [PlanStepView], _ page: Page) -> [StyledText] {
        var lines: [StyledText] = []
        var phase: Int?
        var number = 0
        var stage: String?
        for step in steps {
            if let name = step.stage, name != stage { lines.append(StyledText("  \(name)", .accent)) }
            stage = step.stage
            if step.phase != phase { number += 1 }
            let label = step.phase == phase ? "" : "\(number)"
            phase = step.phase
            lines.append(StyledText("  ") + StyledText(label, .faint).paddedLeft(to: 2) + "  " + StyledText(step.title))
        }
        return lines
    }
}

extension String {
    var capitalizedFirst: String {
        prefix(1).uppercased() + dropFirst()
    }
}

extension Timestamp {
    var wholeSecond: Timestamp {
        Timestamp(microseconds: microseconds - microseconds % 1_000_000)
    }
}
