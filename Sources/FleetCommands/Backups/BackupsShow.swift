import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet backups show`
struct BackupsShow: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one backup in full.",
        discussion: "  fleet backups show orders          the newest\n  fleet backups show orders LABEL")

    @Argument(help: "The instance.") var instance: String
    @Argument(help: "The backup's label; the newest when left out.") var label: String?
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> BackupPage {
        let coordinator = try await session.coordinator()
        let declared = try coordinator.inventory.instance(instance)
        let backups = try await coordinator.inventory.catalog(of: declared).backups
        let chosen = label.map { label in backups.filter { $0.label == label } } ?? Array(backups.suffix(1))
        guard let backup = chosen.last else {
            throw FleetError(
                .notFound, label.map { "\(instance) has no backup \($0)" } ?? "\(instance) has no backups",
                hint: backups.isEmpty
                    ? "make one with: fleet backup \(instance)" : "see: fleet backups list \(instance)")
        }
        return BackupPage(backup: BackupView(backup, of: instance), observedAt: coordinator.now)
    }
}

/// One backup in JSON.
struct BackupPage: Displayable {
    var backup: BackupView
    var observedAt: Timestamp

    func lines(_ page: Page) -> [StyledText] {
        var card = Card(page)
        card.add("instance", backup.instance)
        card.add("kind", backup.kind)
        card.add("begun", Ages.moment(backup.startTime))
        card.add(
            "consistent from", "\(Ages.moment(backup.stopTime)), \(Ages.ago(backup.stopTime, at: observedAt))")
        card.add("took", Ages.rough(backup.stopTime - backup.startTime))
        card.add("WAL", "\(backup.startLSN) to \(backup.stopLSN), timeline \(backup.timeline)")
        card.add("size", "\(ByteSize.text(backup.size)), stored in \(ByteSize.text(backup.storedSize))")
        card.add("repository", "\(backup.repository), by the engine \(backup.engine)")
        card.add("PostgreSQL", backup.serverVersion)
        card.add("system identifier", backup.systemIdentifier)
        for reference in backup.references { card.add("needs", reference) }
        for tablespace in backup.tablespaces { card.add("tablespace", "\(tablespace.oid) at \(tablespace.path)") }
        if let hold = backup.hold { card.add("held", StyledText(Self.text(hold, at: observedAt), .caution)) }
        if backup.isIsolated == true {
            card.add("restorable", "to its own end only: WAL after it was not kept")
        }
        if let problem = backup.problem { card.add("problem", StyledText(problem, .bad)) }
        return [StyledText(backup.label, .strong)] + card.lines
    }

    private static func text(_ hold: BackupHold, at now: Timestamp) -> String {
        guard hold.isInForce(at: now) else {
            return "no longer: the hold ended \(Ages.ago(hold.until ?? now, at: now))"
        }
        return "by \(hold.holder) since \(Ages.moment(hold.since))"
            + (hold.until.map { ", until \(Ages.moment($0))" } ?? "") + ": \(hold.reason)"
    }
}
