import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// One instance of a plan as people read it.
struct MemberLines {
    let member: PlanMemberView
    let plan: PlanView
    let page: Page

    var lines: [StyledText] {
        var card = Card(page, nameColumns: 10)
        if let into = member.into {
            card.add("into", member.place.map { "\(into), in \($0)" } ?? into)
        }
        switch member.bringsBack {
        case "nothing"?: card.add("data", "the copy is removed; its source stays as it is")
        case "setAside"?: card.add("data", "the data directory that was kept beside comes back")
        case "untouched"?: card.add("data", "was not touched; the server is only started")
        default: break
        }
        if let kind = member.backupKind { card.add("backup", "\(kind), to repository \(member.repository)") }
        if let target = member.target { add(target, &card) }
        if plan.kind == "restore" || plan.kind == "undo", member.bringsBack != "nothing" { addWayBack(&card) }
        if let estimate = member.estimate, member.bringsBack == nil || member.bringsBack == "archive" {
            card.add("takes", "about \(Ages.rough(.seconds(estimate))), \(member.estimateBasis ?? "")")
        }
        addSessions(&card)
        return heading + card.lines
    }

    /// The source stays as it is.
    private var isBeside: Bool { Plan.Kind(rawValue: plan.kind)?.isBeside == true }

    private var heading: [StyledText] {
        var facts = [member.environment]
        if let target = member.target { facts.append("PostgreSQL \(target.backup.serverVersion)") }
        facts.append(member.state)
        if let timeline = member.timeline { facts.append("timeline \(timeline)") }
        let name = StyledText(member.instance, .accent)
        let line = name + StyledText("  " + facts.joined(separator: ", "), .faint)
        guard let width = page.width, line.columns > width else { return [line] }
        return [name] + Paragraph.lines("", facts.joined(separator: ", "), page, .faint)
    }

    private func add(_ target: TargetView, _ card: inout Card) {
        card.add("target", Self.targetText(target, asked: plan.asked))
        if let stop = target.stopLSN { card.add("stops at", "\(stop) on timeline \(target.timeline)") }
        let age = Ages.rough(plan.createdAt - target.backup.stopTime)
        card.add("backup", target.backup.label)
        card.add(
            "",
            "\(target.backup.kind), \(age) old, \(ByteSize.text(target.backup.size)), in repository "
                + target.backup.repository)
        addWAL(target.wal, &card)
        card.add("keeps", Self.keptText(target))
        addLost(target.lost, &card)
    }

    static func targetText(_ target: TargetView, asked: String?) -> String {
        var text = Timestamp(rfc3339: target.requested).map(Ages.moment) ?? target.requested
        if text == "latest" { text = "the end of timeline \(target.timeline)" }
        if let asked, asked != target.requested { text += " (asked for: \(asked))" }
        return text
    }

    private func addWAL(_ wal: WALView, _ card: inout Card) {
        guard wal.segments > 0 else { return card.add("WAL", "none needed beyond the backup's own") }
        card.add("WAL", wal.segments == 1 ? wal.first : "\(wal.first) … \(wal.last)")
        let pending =
            wal.pending == 0
            ? "all archived" : "\(wal.pending) still to be archived"
        card.add("", "\(InstanceChoice.counted(wal.segments, "segment")), none missing; \(pending)")
    }

    static func keptText(_ target: TargetView) -> String {
        guard let last = target.lastKept else { return "the backup as it is: no commit follows it before the target" }
        return "all commits up to the one of \(Ages.moment(last.time))"
    }

    private func addLost(_ lost: LostView, _ card: inout Card) {
        if let moment = lost.unknownAfter {
            let known = lost.commits > 0 ? Self.grouped(lost.commits) + " archived commits, and " : ""
            card.add("loses", StyledText("\(known)whatever was committed after", .bad))
            return card.add(
                "", StyledText("\(Ages.moment(moment)) and not archived: the server does not run", .bad))
        }
        guard lost.commits > 0 else {
            return card.add("loses", StyledText(isBeside ? "nothing here" : "nothing", .good))
        }
        let style: StyledText.Style = isBeside ? .plain : .bad
        let count = Self.grouped(lost.commits) + (lost.commits == 1 ? " commit" : " commits")
        card.add(isBeside ? "leaves out" : "loses", StyledText(count, style))
        guard let first = lost.first, let last = lost.last else { return }
        card.add("", "\(Ages.moment(first)) to")
        card.add("", "\(Ages.moment(last)), a span of \(Ages.rough(last - first))")
    }

    private func addWayBack(_ card: inout Card) {
        switch member.wayBack {
        case "archive": card.add("way back", "fleet runs undo brings the present state back from the archive")
        case "setAside": card.add("way back", "the present data directory is kept beside; fleet runs undo puts it back")
        default:
            let isNothing = member.state == "absent"
            card.add(
                "way back",
                StyledText(isNothing ? "none needed: there is nothing now" : "none", isNothing ? .plain : .bad))
        }
    }

    private func addSessions(_ card: inout Card) {
        guard !member.sessions.isEmpty else { return }
        let groups = Dictionary(grouping: member.sessions) { session in
            "\(session.user ?? "?")@\(session.database ?? "replication") from \(session.client)"
                + (session.application.isEmpty ? "" : ", \(session.application)")
        }.sorted { $0.key < $1.key }
        let fate =
            plan.sessions == "terminate"
            ? "ended before the server is stopped" : "who stays after the applications are down makes the run turn back"
        card.add("sessions", "\(member.sessions.count) open now; \(fate)")
        for (who, sessions) in groups.prefix(4) {
            card.add("", sessions.count == 1 ? who : "\(who) (\(sessions.count))")
        }
        if groups.count > 4 { card.add("", "and others: -o json lists all") }
    }

    /// `1,204`
    static func grouped(_ number: Int) -> String {
        var digits = String(number)
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(Substring(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return ([digits] + groups.map(String.init)).joined(separator: ",")
    }
}
