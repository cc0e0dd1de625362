import FleetCoordinator
import FleetPluginAPI
import FleetStore

/// Everything there is to say of a run, for the people who look at it afterwards.
struct RunDocument: Sendable {
    var run: RunView
    var plan: PlanView
    var stages: [RunStageView]
    var verdict: VerdictView?
    var members: [Member]
    /// Decisions and notes, in order.
    var events: [RunEventView]
    var putBackBy: String?
    var writtenAt: Timestamp

    /// What was proven of an instance.
    struct Member: Sendable {
        var view: PlanMemberView
        var evidence: MemberEvidence
    }

    static func read(_ id: String, _ coordinator: Coordinator) async throws -> RunDocument {
        try await coordinator.markAbandoned()
        let record = try await coordinator.requireRun(id)
        let steps = try await coordinator.store.steps(of: record.id)
        let plan = try coordinator.plan(of: record)
        var events: [RunEvent] = []
        while true {
            let more = try await coordinator.store.events(of: record.id, after: events.last?.sequence ?? 0, limit: 1000)
            if more.isEmpty { break }
            events += more
        }
        let view = try PlanView(plan)
        return RunDocument(
            run: RunView(record, steps: steps), plan: view, stages: RunStageView.all(record, plan, steps),
            verdict: SetVerdict(plan, steps: steps).map(VerdictView.init),
            members: view.members.map { Member($0, steps) }, events: events.map(RunEventView.init),
            putBackBy: try await coordinator.putBackRun(of: record), writtenAt: coordinator.now)
    }

    /// The facts of the run, as names and values.
    var facts: [(String, String)] {
        var facts = [
            ("State", run.state), ("Run", run.id), ("Started by", run.startedBy),
            ("Began", Ages.moment(run.createdAt.wholeSecond)),
        ]
        if let ended = run.endedAt {
            facts.append(("Ended", "\(Ages.moment(ended.wholeSecond)), after \(Ages.rough(ended - run.createdAt))"))
        }
        facts.append(("Plan", run.planHash))
        if let undoes = run.undoes { facts.append(("Undoes", undoes)) }
        if let undoneBy = run.undoneBy { facts.append(("Undone by", undoneBy)) }
        if let putBackBy { facts.append(("Put back by", putBackBy)) }
        if let error = run.error { facts.append(("Stopped by", "\(error)")) }
        return facts
    }

    /// Decisions, retries and remarks; what begins and ends is told by the steps.
    var remarks: [RunEventView] {
        events.filter { !$0.kind.hasPrefix("step.") || $0.kind == "step.failed" }
    }
}

extension RunDocument.Member {
    init(_ view: PlanMemberView, _ steps: [StepRecord]) {
        self.view = view
        evidence = MemberEvidence(view.instance, steps: steps)
    }

    /// As names and values.
    var facts: [(String, String)] {
        var facts = [("Environment", view.environment)]
        if let target = view.target {
            facts.append(("Target", target.requested))
            facts.append(("Backup", "\(target.backup.label), \(target.backup.kind), of \(target.backup.repository)"))
            if target.wal.segments > 0 { facts.append(("WAL", "\(target.wal.first) to \(target.wal.last)")) }
            if let last = target.lastKept { facts.append(("Last commit to keep", Ages.moment(last.time))) }
            let until = target.lost.last.map { ", the last of \(Ages.moment($0))" } ?? ""
            facts.append(("Commits given up", "\(target.lost.commits)\(until)"))
        }
        if let replay = evidence.replay {
            let place = replay.replayedTo.map { "\($0) on timeline \(replay.timeline)" }
            facts.append(("Stood at, paused", place ?? "its backup"))
            if let last = replay.lastTransactionAt { facts.append(("Last commit there", Ages.moment(last))) }
        }
        for check in evidence.checks {
            let found = check.value.map { " (\($0))" } ?? ""
            facts.append(("Check: \(check.check)", (check.passed ? "passed" : "failed") + found))
        }
        facts.append(("Way back", view.wayBack))
        if let backup = evidence.backup { facts.append(("New backup", backup)) }
        return facts
    }
}
