import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet runs show`
struct RunsShow: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a run: its steps, what each did, and what may come next.",
        discussion: "With --verbose also its journal. With --plan the plan that it carries out.")

    @Argument(help: "The run.") var run: String
    @Flag(help: "Show the plan.") var plan = false
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> RunPage {
        let coordinator = try await session.coordinator()
        try await coordinator.markAbandoned()
        let record = try await coordinator.requireRun(run)
        let steps = try await coordinator.store.steps(of: record.id)
        var events: [RunEvent] = []
        while true {
            let more = try await coordinator.store.events(of: record.id, after: events.last?.sequence ?? 0, limit: 1000)
            if more.isEmpty { break }
            events += more
        }
        let kept = try coordinator.plan(of: record)
        let planView = plan ? try PlanView(kept) : nil
        let carrier = try await coordinator.carrier(of: record)
        let back = try await coordinator.putBackRun(of: record)
        return RunPage(
            run: RunView(record, steps: steps), carriedOutBy: carrier,
            putBackBy: back, events: events.map(RunEventView.init),
            plan: planView, stages: RunStageView.all(record, kept, steps),
            verdict: SetVerdict(kept, steps: steps).map(VerdictView.init),
            next: NextCommand.after(record, kept))
    }
}

/// One run in JSON.
struct RunPage: Displayable {
    var run: RunView
    /// The living process that carries it out; absent when none does.
    var carriedOutBy: String?
    /// The run that put back, or puts back, what it did.
    var putBackBy: String?
    var events: [RunEventView]
    /// Where it was asked for.
    var plan: PlanView?
    /// Of a rollout.
    var stages: [RunStageView]
    /// Of a restore set: the cut, and what was found to hold there.
    var verdict: VerdictView?
    var next: [NextCommand]

    func lines(_ page: Page) -> [StyledText] {
        var card = Card(page, nameColumns: 12)
        card.add("state", RunStates.styled(run))
        card.add("run", run.id)
        card.add("begun", "\(Ages.moment(run.createdAt.wholeSecond)) by \(run.startedBy)")
        if let ended = run.endedAt { card.add("ended", "\(Ages.moment(ended.wholeSecond)), took \(run.took)") }
        if let carriedOutBy { card.add("carried out", "by \(carriedOutBy)") }
        if let putBackBy { card.add("put back by", putBackBy) }
        if let undoes = run.undoes { card.add("undoes", undoes) }
        if let undoneBy = run.undoneBy { card.add("undone by", undoneBy) }
        card.add("plan", page.isVerbose ? run.planHash : String(run.planHash.prefix(16)))
        var lines = Paragraph.lines("", run.title.capitalizedFirst, page, .strong, indent: 0) + card.lines
        if let plan { lines += [""] + plan.lines(page) }
        if !stages.isEmpty { lines += ["", StyledText("Stages", .strong)] + stages.flatMap { $0.lines(page) } }
        if let verdict {
            lines += ["", StyledText("The cut at \(verdict.cut)", .strong)]
            lines += Paragraph.lines("", verdict.statement, page) + verdict.lines(page)
        }
        lines += ["", StyledText("Steps", .strong)] + (run.steps ?? []).flatMap { stepLines($0, page) }
        if page.isVerbose { lines += ["", StyledText("Journal", .strong)] + events.flatMap { $0.lines(page) } }
        if let error = run.error { lines += [""] + ErrorLines.lines(error, width: page.width) }
        guard !next.isEmpty else { return lines }
        return lines + [""]
            + next.map { StyledText("  \($0.purpose): ".padded(to: 20), .faint) + StyledText($0.command, .accent) }
    }

    private func stepLines(_ step: StepView, _ page: Page) -> [StyledText] {
        var line = StyledText("  ") + RunStates.symbol(step) + " "
        line += StyledText(step.title, step.state == "pending" ? .faint : .plain)
        if let duration = step.duration, duration >= .seconds(1) {
            line += StyledText("  \(Ages.rough(duration))", .faint)
        }
        if step.attempts > 1 { line += StyledText("  begun \(step.attempts) times", .caution) }
        return [line] + (step.error.map { Paragraph.lines("", $0.description, page, .bad, indent: 6) } ?? [])
    }
}

/// One line of a run's journal in JSON.
struct RunEventView: Hashable, Codable, Sendable {
    var sequence: Int64
    var time: Timestamp
    /// The step's id; absent where it concerns the whole run.
    var step: String?
    var kind: String
    var message: String
    var details: JSONValue?

    init(_ event: RunEvent) {
        sequence = event.sequence
        time = event.time
        step = event.step
        kind = event.kind
        message = event.message
        details = event.details
    }

    func lines(_ page: Page) -> [StyledText] {
        let head = "\(time.clockText)  \(kind.padded(to: 15))  "
        return Paragraph.lines(head, message, page)
    }
}
