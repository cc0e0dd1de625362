import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// How far a stage of a run is, in JSON.
struct RunStageView: Hashable, Sendable, Codable {
    var name: String
    /// `pending`, `waiting` (for an approval), `running`, `done`, `failed`.
    var state: String
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    /// What it took, approvals and soak left out, and what its restores were thought to take. Seconds.
    var took: Double?
    var estimate: Double?
    /// Present where it waits for one.
    var needsApproval: Bool
    var approval: ApprovalView?

    static func all(_ run: RunRecord, _ plan: Plan, _ steps: [StepRecord]) -> [RunStageView] {
        let records = Dictionary(uniqueKeysWithValues: steps.map { ($0.id, $0) })
        return plan.stages.map { stage in
            let own = plan.steps.filter { $0.stage == stage.name }
            return RunStageView(stage, run, own.compactMap { step in records[step.id].map { (step.kind, $0) } })
        }
    }

    private init(_ stage: Plan.Stage, _ run: RunRecord, _ steps: [(kind: StepKind, record: StepRecord)]) {
        name = stage.name
        needsApproval = stage.approval != nil
        approval = (try? run.approval(of: stage.name))?.map(ApprovalView.init)
        estimate = stage.estimate?.seconds
        startedAt = steps.compactMap(\.record.startedAt).min()
        let states = Set(steps.map(\.record.state))
        let isWaiting = steps.contains { $0.kind == .approve && $0.record.state == .running }
        if states == [.done] {
            state = "done"
            endedAt = steps.compactMap(\.record.endedAt).max()
        } else if states.contains(.failed) {
            state = "failed"
        } else {
            state = isWaiting ? "waiting" : states.contains(.running) || states.contains(.done) ? "running" : "pending"
        }
        let work = steps.filter { $0.kind != .approve && $0.kind != .soak }
        if let began = work.compactMap(\.record.startedAt).min(), work.allSatisfy({ $0.record.state == .done }),
            let ended = work.compactMap(\.record.endedAt).max()
        {
            took = (ended - began).seconds
        }
    }

    func lines(_ page: Page) -> [StyledText] {
        let style: StyledText.Style =
            switch state {
            case "done": .good
            case "failed": .bad
            case "pending": .faint
            default: .caution
            }
        var facts: [String] = []
        if let took {
            facts.append(
                "took \(Ages.rough(.seconds(took)))"
                    + (estimate.map { ", the restores were thought to take \(Ages.rough(.seconds($0)))" } ?? ""))
        } else if let estimate {
            facts.append("restores: about \(Ages.rough(.seconds(estimate)))")
        }
        if let approval {
            facts.append(
                "\(approval.isApproved ? "approved" : "rejected") by \(approval.by), "
                    + "\(Ages.moment(approval.at.wholeSecond)): \(approval.reason)")
        } else if needsApproval {
            facts.append("needs an approval")
        }
        return [StyledText("  ") + StyledText(name, .accent) + StyledText("  ") + StyledText(state, style)]
            + facts.flatMap { Paragraph.lines("", $0, page, .faint, indent: 4) }
    }
}
