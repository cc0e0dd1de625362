import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// A drill in JSON.
struct DrillView: Displayable, Hashable {
    var run: String
    var at: Timestamp
    /// Absent where it was of single instances.
    var set: String?
    /// `passed`, `tooSlow`, `failed`, `running`.
    var verdict: String
    var error: FleetError?
    var members: [Member]

    struct Member: Hashable, Sendable, Codable {
        var instance: String
        var target: String?
        var backup: String?
        /// Bytes.
        var size: Int64?
        /// The last commit that the copy had.
        var lastCommitAt: Timestamp?
        var checks: [DataCheckResult]
        /// Tables and indices that were looked through; absent until they were.
        var relations: Int?
        /// What could not be looked through, and why.
        var unchecked: [String]
        /// From the first byte to a server that takes writes, and what the policy allows. Seconds.
        var took: Double?
        var rto: Double?
        var isWithinRTO: Bool?
        /// Seconds of `restore`, `start`, `recover`, `verify`, `promote`, `inspect`.
        var parts: [String: Double]
    }

    init(_ result: DrillResult) {
        run = result.run
        at = result.at
        set = result.set
        verdict = result.verdict.rawValue
        error = result.error
        members = result.members.map { member in
            Member(
                instance: member.instance, target: member.target.map { "\($0.requested)" },
                backup: member.target?.backup.label, size: member.target?.backup.size,
                lastCommitAt: member.evidence.replay?.lastTransactionAt ?? member.target?.lastKept?.time,
                checks: member.evidence.checks, relations: member.structure?.relations,
                unchecked: member.structure?.unchecked ?? [], took: member.took?.seconds, rto: member.rto?.seconds,
                isWithinRTO: member.isWithinRTO, parts: member.parts.mapValues(\.seconds))
        }
    }

    var styledVerdict: StyledText {
        switch verdict {
        case "passed": StyledText("passed", .good)
        case "tooSlow": StyledText("too slow", .bad)
        case "running": StyledText("running", .caution)
        default: StyledText("failed", .bad)
        }
    }

    func lines(_ page: Page) -> [StyledText] {
        var lines: [StyledText] = [
            styledVerdict + StyledText("  drill of \(Ages.moment(at.wholeSecond)), run \(run)", .faint)
        ]
        for member in members {
            var card = Card(page, nameColumns: 10)
            if let target = member.target, let backup = member.backup {
                let size = member.size.map { ", \(ByteSize.text($0))" } ?? ""
                card.add("restored", "\(backup) to \(target)\(size)")
            }
            if let last = member.lastCommitAt { card.add("has", "all commits up to the one of \(Ages.moment(last))") }
            if let took = member.took {
                let limit = member.rto.map { ", of \(Ages.rough(.seconds($0))) that the policy allows" } ?? ""
                card.add(
                    "took",
                    StyledText("\(Ages.rough(.seconds(took)))\(limit)", member.isWithinRTO == false ? .bad : .plain))
            }
            for check in member.checks {
                card.add(
                    "check",
                    "\(check.check): \(check.passed ? "passed" : "failed")\(check.value.map { " (\($0))" } ?? "")")
            }
            if let relations = member.relations { card.add("looked at", "\(relations) tables and indices, undamaged") }
            for text in member.unchecked { card.add("", StyledText("not looked through: \(text)", .caution)) }
            lines += [StyledText("  \(member.instance)", .accent)] + card.lines
        }
        if let error { lines += ErrorLines.lines(error, width: page.width) }
        return lines
    }
}
