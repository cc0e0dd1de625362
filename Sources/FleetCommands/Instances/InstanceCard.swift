import FleetPluginAPI
import TerminalUI

/// One instance as people read it, in full.
enum InstanceCard {
    static func lines(_ instance: InstanceView, _ page: Page) -> [StyledText] {
        var card = Card(page)
        card.add("cluster", "\(instance.cluster) (\(instance.environment))")
        card.add("state", InstanceTable.state(instance))
        if let policy = instance.policy { card.add("policy", policy) }
        if let engine = instance.engine { card.add("engine", engine) }
        if let version = instance.version { card.add("PostgreSQL", version) }
        if let identifier = instance.systemIdentifier { card.add("system identifier", identifier) }
        if let timeline = instance.timeline, let lsn = instance.lsn { card.add("timeline", "\(timeline), at \(lsn)") }
        if let directory = instance.dataDirectory { card.add("data directory", directory) }
        if let checksums = instance.dataChecksums { card.add("data checksums", checksums ? "on" : "off") }
        if let databases = instance.databases {
            let list = databases.map { "\($0.name) (\(ByteSize.text($0.size)))" }.joined(separator: ", ")
            card.add("databases", "\(ByteSize.text(instance.size ?? 0)): \(list)")
        }
        if let archiving = instance.archiving { card.add("archiving", archivingText(archiving)) }
        card.add("archived to", InstanceTable.archived(instance))
        if let backup = instance.lastBackup {
            card.add(
                "last backup",
                "\(backup.label), \(Ages.ago(backup.stopTime, at: instance.observedAt)), "
                    + "\(ByteSize.text(backup.size)), in \(backup.repository)")
        }
        card.add("backups", instance.backups.map(String.init) ?? "?")
        for repository in instance.repositories {
            card.add("repository", repositoryText(repository))
        }
        for window in instance.windows {
            card.add(
                "window", "\(Ages.second(window.start)) to \(Ages.moment(window.end)), timeline \(window.timeline)")
        }
        return [StyledText(instance.name, .strong)] + card.lines
            + ProblemLines.lines(instance.problems.map { (instance.name, $0) }, page)
    }

    private static func archivingText(_ archiving: ArchivingView) -> String {
        if archiving.mode == "off" { return "off" }
        if let slot = archiving.slot {
            return "received through the slot \(slot.name), "
                + (slot.isActive ? "archived to \(slot.restartLSN ?? "nowhere yet")" : "by nobody now")
        }
        if archiving.isFailing { return "\(archiving.mode), failing at \(archiving.lastFailed ?? "a segment")" }
        return "\(archiving.mode), \(archiving.archivedCount) segments, last \(archiving.lastArchived ?? "none")"
    }

    private static func repositoryText(_ repository: RepositoryView) -> String {
        guard let free = repository.free else { return repository.name }
        return "\(repository.name), \(ByteSize.text(free)) free"
            + (repository.total.map { " of \(ByteSize.text($0))" } ?? "")
    }
}

/// Facts below each other, their names in one column.
struct Card {
    private(set) var lines: [StyledText] = []
    private let page: Page
    private let indent: Int
    private let nameColumns: Int

    init(_ page: Page, indent: Int = 2, nameColumns: Int = 18) {
        self.page = page
        self.indent = indent
        self.nameColumns = nameColumns
    }

    mutating func add(_ name: String, _ text: String) {
        let limit = (page.width ?? 1 << 20) - indent - nameColumns - 1
        for (index, row) in DisplayText.wrapped(text, to: limit).enumerated() {
            add(index == 0 ? name : "", StyledText(row))
        }
    }

    mutating func add(_ name: String, _ text: StyledText) {
        lines.append(
            StyledText(String(repeating: " ", count: indent)) + StyledText(name, .faint).padded(to: nameColumns + 1)
                + text)
    }
}
