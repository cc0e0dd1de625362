import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// What the restore of a set has come to, in JSON.
struct VerdictView: Hashable, Sendable, Codable {
    var set: String
    /// The mark's name, or about what time.
    var cut: String
    /// `fenced`, `ordered`, `loose`, `approximate`, `searched`.
    var kind: String
    var statement: String
    var members: [Member]
    /// `check`, `passed`, `value`, `reason`.
    var invariants: [DataCheckResult]?
    var transactions: [SetVerdict.Transaction]?
    /// Where the cut was found by looking: `run`, `probes`, `rejected` (the nearest later cut that was tried).
    var search: SetVerdict.Search?

    struct Member: Hashable, Sendable, Codable {
        var instance: String
        var timeline: UInt32
        var markLSN: String?
        var restoredTo: String?
        var lastCommitAt: Timestamp?
        var lostCommits: Int
        var lostUntil: Timestamp?
    }

    init(_ verdict: SetVerdict) {
        set = verdict.set
        cut = verdict.cut
        kind = verdict.kind
        statement = verdict.statement
        invariants = verdict.invariants
        transactions = verdict.transactions
        search = verdict.search
        members = verdict.members.map {
            Member(
                instance: $0.instance, timeline: $0.timeline, markLSN: $0.markLSN?.description,
                restoredTo: $0.restoredTo?.description, lastCommitAt: $0.lastCommitAt, lostCommits: $0.lost,
                lostUntil: $0.lostUntil)
        }
    }

    /// What is shown of a plan: the cut alone. Of a run: what was found there as well.
    func lines(_ page: Page) -> [StyledText] {
        var lines = picture(page)
        for check in invariants ?? [] {
            let mark = check.passed ? StyledText("✓", .good) : StyledText("✗", .bad)
            lines.append(
                StyledText("  ") + mark + StyledText(" \(check.check)")
                    + StyledText(check.value.map { "  \($0)" } ?? "", .faint))
        }
        if let search {
            lines += Paragraph.lines("", "found by asking the invariants \(search.probes) times in copies", page)
            if let rejected = search.rejected {
                lines += Paragraph.lines(
                    "",
                    "the nearest later cut that was tried: \(rejected.check): "
                        + (rejected.reason ?? "does not hold"), page, .faint)
            }
        }
        for transaction in transactions ?? [] {
            let sides = transaction.sides.sorted { $0.key < $1.key }.map { "\($0.value) on \($0.key)" }
            let word =
                switch transaction.decision {
                case "commit": StyledText("committed", .good)
                case "rollBack": StyledText("rolled back", .good)
                case "broken": StyledText("broken", .bad)
                default: StyledText("left as it is", .caution)
                }
            lines.append(
                StyledText("  transaction \(transaction.transaction): ") + word
                    + StyledText("  \(sides.joined(separator: ", "))", .faint))
        }
        return lines
    }

    /// The members side by side: up to the mark what stays, beyond it what goes, in the same measure of time for all.
    private func picture(_ page: Page) -> [StyledText] {
        let names = members.map { DisplayText.columns(of: $0.instance) }.max() ?? 0
        let moment = members.compactMap(\.lastCommitAt).max()
        let latest = members.compactMap(\.lostUntil).max()
        let earliest = members.compactMap { member in member.lostCommits > 0 ? member.lostUntil : nil }.min()
        var lines: [StyledText] = []
        for member in members {
            var beyond = 0
            if member.lostCommits > 0, let until = member.lostUntil, let latest {
                // The longest loss takes the whole width; every loss can be seen.
                let start = moment ?? earliest ?? until
                let whole = max(1, (latest - start).microseconds)
                beyond = max(1, Int(Double(Self.width) * Double((until - start).microseconds) / Double(whole)))
                beyond = min(Self.width, beyond)
            }
            let lost =
                member.lostCommits == 0
                ? "nothing after it" : "\(member.lostCommits) commit\(member.lostCommits == 1 ? "" : "s") after it go"
            let name = member.instance + String(repeating: " ", count: names - DisplayText.columns(of: member.instance))
            lines.append(
                StyledText("  ") + StyledText(name, .accent)
                    + StyledText("  " + String(repeating: "━", count: 12), .good)
                    + StyledText("●", .strong) + StyledText(String(repeating: "░", count: beyond), .bad)
                    + StyledText(String(repeating: " ", count: Self.width - beyond + 1))
                    + StyledText("\(member.restoredTo ?? member.markLSN ?? "-")  \(lost)", .faint))
        }
        return lines
    }

    private static let width = 12
}
