import FleetPluginAPI
import FleetStore
import TerminalUI

/// A mark in JSON.
struct MarkView: Hashable, Sendable, Codable {
    var name: String
    var set: String
    var epoch: Int
    var sequence: Int
    /// `fenced`, `ordered`, `loose`.
    var kind: String
    /// `pending`, `created`, `archived`, `failed`.
    var state: String
    var createdAt: Timestamp
    var createdBy: String
    /// No two members are further apart. Seconds.
    var skew: Double?
    /// How often the fence gave way before it stood.
    var retries: Int
    var members: [Member]
    var error: FleetError?

    struct Member: Hashable, Sendable, Codable {
        var instance: String
        var database: String
        var lsn: String?
        var timeline: UInt32
        /// How long writers may have waited. Seconds.
        var held: Double?
        var isArchived: Bool
        /// How far its clock was ahead of fleet's, in microseconds: at least and at most.
        var clockAheadAtLeast: Int64?
        var clockAheadAtMost: Int64?
        var preparedTransactions: Int
    }

    init(_ mark: MarkRecord) {
        name = mark.name
        set = mark.set
        epoch = mark.epoch
        sequence = mark.sequence
        kind = mark.kind.rawValue
        state = mark.state.rawValue
        createdAt = mark.createdAt
        createdBy = mark.createdBy
        skew = mark.skew?.seconds
        retries = mark.retries
        error = mark.error
        members = mark.members.map {
            Member(
                instance: $0.instance, database: $0.database, lsn: $0.lsn?.description, timeline: $0.timeline,
                held: $0.held?.seconds, isArchived: $0.isArchived, clockAheadAtLeast: $0.clockAhead?.lower,
                clockAheadAtMost: $0.clockAhead?.upper, preparedTransactions: $0.preparedTransactions)
        }
    }

    /// Seconds.
    var longestHold: Double? { members.compactMap(\.held).max() }

    var style: StyledText.Style {
        switch state {
        case "archived": .good
        case "failed": .bad
        default: .caution
        }
    }
}

/// One mark.
struct MarkPage: Displayable {
    var mark: MarkView
    var observedAt: Timestamp

    func lines(_ page: Page) -> [StyledText] {
        var table = Table([
            .init("MEMBER"), .init("DATABASE"), .init("LSN", .right), .init("TL", .right), .init("HELD", .right),
            .init(""),
        ])
        for member in mark.members {
            table.add([
                StyledText(member.instance, .accent), StyledText(member.database), StyledText(member.lsn ?? "-"),
                StyledText("\(member.timeline)"), StyledText(member.held.map(Ages.exact) ?? ""),
                member.isArchived ? StyledText("archived", .good) : StyledText("not archived", .caution),
            ])
        }
        let skew = mark.skew.map { ", no two members further apart than \(Ages.exact($0))" } ?? ""
        return [
            StyledText(mark.name, .strong) + StyledText("  ") + StyledText(mark.state, mark.style)
                + StyledText("\(skew)\(mark.retries > 0 ? ", at attempt \(mark.retries + 1)" : "")")
        ] + table.lines(width: page.width)
    }
}
