import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// How a run that this command carried out stands, in JSON.
struct RunReport: Displayable {
    var run: RunView
    /// The run that put everything back.
    var putBack: RunView?
    /// The id of the step that failed.
    var failedStep: String?
    /// Backups that the run made.
    var backups: [MadeBackup]
    /// Where a restored copy answers.
    var endpoints: [CopyEndpoint]
    /// Commands that may come next, with what they are for.
    var next: [NextCommand]

    init(_ outcome: RunOutcome, plan: Plan, steps: [StepRecord]) {
        run = RunView(outcome.run, steps: steps)
        putBack = outcome.putBack.map { RunView($0) }
        failedStep = outcome.failedStep
        backups = steps.compactMap(MadeBackup.init)
        endpoints = steps.compactMap { step in CopyEndpoint(step, plan) }
        next = NextCommand.after(outcome.run, plan)
    }

    /// What is done when everything went well; what is left to do otherwise.
    var status: ExitStatus {
        switch run.state {
        case "succeeded": .done
        case "waiting": .waiting
        // Everything is as it was: a refusal by a safety rule is told as one.
        case "aborted": run.error?.code.exitStatus == .refused ? .refused : .failed
        default: .failed
        }
    }

    func lines(_ page: Page) -> [StyledText] {
        var lines: [StyledText] = [headline]
        for backup in backups {
            lines.append(
                StyledText("  \(backup.instance)  ") + StyledText(backup.label, .accent)
                    + StyledText(backup.size.map { "  \(ByteSize.text($0))" } ?? "", .faint))
        }
        for endpoint in endpoints {
            lines.append(StyledText("  \(endpoint.name) answers: psql -h \(endpoint.host) -p \(endpoint.port)"))
        }
        if let putBack, putBack.state == "succeeded" { lines.append("  everything was put back as it was before") }
        return lines
            + next.map {
                StyledText("  \($0.purpose): ".padded(to: 20), .faint)
                    + StyledText($0.command, .accent)
            }
    }

    private var headline: StyledText {
        let word: StyledText =
            switch run.state {
            case "succeeded": StyledText("done", .good)
            case "interrupted": StyledText("stopped halfway", .bad)
            case "aborted": StyledText("not done", .bad)
            case "waiting": StyledText("waits for an approval", .caution)
            case let state: StyledText(state, .bad)
            }
        let end = run.endedAt ?? run.updatedAt
        return word + StyledText("  \(run.title)")
            + StyledText("  \(Ages.rough(end - run.createdAt)), run \(run.id)", .faint)
    }
}

/// A backup that a run made, in JSON.
struct MadeBackup: Hashable, Codable, Sendable {
    var instance: String
    var label: String
    /// Bytes.
    var size: Int64?

    init?(_ step: StepRecord) {
        guard step.kind == StepKind.backup.rawValue, step.state == .done, let label = step.output?["label"]?.string
        else { return nil }
        instance = String(step.id.drop { $0 != ":" }.dropFirst())
        self.label = label
        size = step.output?["size"]?.integer
    }
}

/// Where a restored copy answers, in JSON.
struct CopyEndpoint: Hashable, Codable, Sendable {
    var name: String
    var host: String
    var port: Int

    init?(_ step: StepRecord, _ plan: Plan) {
        guard step.kind == StepKind.settle.rawValue, let endpoint = step.output?["endpoint"],
            let host = endpoint["host"]?.string, let port = endpoint["port"]?.integer
        else { return nil }
        let subject = String(step.id.drop { $0 != ":" }.dropFirst())
        name = plan.member(subject)?.scratch?.name ?? subject
        self.host = host
        self.port = Int(port)
    }
}

/// A command that may come next, in JSON.
struct NextCommand: Hashable, Codable, Sendable {
    var purpose: String
    var command: String

    static func after(_ run: RunRecord, _ plan: Plan) -> [NextCommand] {
        switch run.state {
        case .succeeded where plan.kind == .restoreInto:
            [NextCommand(purpose: "remove the copy", command: "fleet runs undo \(run.id)")]
        case .succeeded where plan.kind == .restore && plan.members.contains { $0.wayBack != .none }:
            [NextCommand(purpose: "take it back", command: "fleet runs undo \(run.id)")]
                + (plan.members.contains { $0.wayBack == .setAside }
                    ? [NextCommand(purpose: "free the old data", command: "fleet runs discard \(run.id)")] : [])
        case .interrupted:
            [
                NextCommand(purpose: "go on", command: "fleet runs resume \(run.id)"),
                NextCommand(purpose: "put it all back", command: "fleet runs abort \(run.id)"),
                NextCommand(purpose: "look", command: "fleet runs show \(run.id)"),
            ]
        case .waiting:
            [
                NextCommand(purpose: "look", command: "fleet runs show \(run.id)"),
                NextCommand(purpose: "approve", command: "fleet runs approve \(run.id) --reason …"),
                NextCommand(purpose: "go on then", command: "fleet runs resume \(run.id)"),
                NextCommand(purpose: "turn back", command: "fleet runs abort \(run.id)"),
            ]
        case .aborted where run.attributes[Coordinator.kept] != nil && run.undoneBy == nil:
            [NextCommand(purpose: "undo earlier stages", command: "fleet runs undo \(run.id)")]
        case .running, .aborting:
            [NextCommand(purpose: "watch", command: "fleet runs watch \(run.id)")]
        default: []
        }
    }
}

extension String {
    func padded(to columns: Int) -> String {
        self + String(repeating: " ", count: max(0, columns - count))
    }
}
