import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet set check`
struct SetCheck: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "See whether marks of a restore set can be made, and what one would cost.",
        discussion: """
            Looks at every member as it is: the role's rights, prepared transactions, transactions that have been \
            writing for long and would be waited for, clocks, archiving. Changes nothing. Exit status 1 when no mark \
            can be made.
            """)

    @Option(help: ArgumentHelp("The restore set.", valueName: "name")) var set: String
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let report = SetReport(try await coordinator.checkSet(set), set: set, observedAt: coordinator.now)
        try session.console.show(report)
        return report.isReady ? .done : .failed
    }
}

/// How a restore set stands, in JSON.
struct SetReport: Displayable {
    var set: String
    var observedAt: Timestamp
    /// Whether a mark of the set's preferred kind can be made.
    var isReady: Bool
    /// `fenced`, `ordered`, `loose`.
    var kind: String
    var members: [Member]
    /// What a reader should know, in sentences.
    var remarks: [String]

    struct Member: Hashable, Sendable, Codable {
        var instance: String
        var database: String
        var timeline: UInt32?
        var preparedTransactions: Int?
        /// How long the oldest transaction has been writing. Seconds.
        var oldestWriter: Double?
        var clockAheadAtLeast: Int64?
        var clockAheadAtMost: Int64?
        var error: FleetError?
    }

    init(_ found: SetCheckResult, set: String, observedAt: Timestamp) {
        self.set = set
        self.observedAt = observedAt
        isReady = found.isReady
        kind = found.kind.rawValue
        remarks = found.remarks
        members = found.members.map {
            Member(
                instance: $0.instance, database: $0.database, timeline: $0.facts?.timeline,
                preparedTransactions: $0.facts?.preparedTransactions, oldestWriter: $0.facts?.oldestWriter?.seconds,
                clockAheadAtLeast: $0.clockAhead?.lower, clockAheadAtMost: $0.clockAhead?.upper, error: $0.error)
        }
    }

    func lines(_ page: Page) -> [StyledText] {
        var table = Table([
            .init("MEMBER"), .init("DATABASE"), .init("TL", .right), .init("PREPARED", .right),
            .init("OLDEST WRITER", .right), .init("CLOCK", .right), .init("", shrinksTo: 20),
        ])
        for member in members {
            table.add([
                StyledText(member.instance, .accent), StyledText(member.database),
                StyledText(member.timeline.map { "\($0)" } ?? "-"),
                StyledText(member.preparedTransactions.map { "\($0)" } ?? "-"),
                StyledText(member.oldestWriter.map(Ages.exact) ?? ""), StyledText(clock(member)),
                member.error.map { StyledText($0.message, .bad) } ?? StyledText("ready", .good),
            ])
        }
        let verdict =
            isReady ? StyledText("a \(kind) mark can be made", .good) : StyledText("no \(kind) mark can be made", .bad)
        return table.lines(width: page.width) + [""] + [verdict] + remarks.map { StyledText($0) }
            + ProblemLines.lines(members.compactMap { member in member.error.map { (member.instance, $0) } }, page)
    }

    private func clock(_ member: Member) -> String {
        guard let lower = member.clockAheadAtLeast, let upper = member.clockAheadAtMost else { return "-" }
        let middle = Double(lower + upper) / 2000
        let half = Double(upper - lower) / 2000
        return "\(middle.rounded(toPlaces: 1)) ± \(half.rounded(toPlaces: 1)) ms"
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        let factor = [1, 10, 100][places]
        return (self * Double(factor)).rounded() / Double(factor)
    }
}
