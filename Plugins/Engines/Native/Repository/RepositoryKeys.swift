import FleetPluginAPI

/// Names of the objects of one instance.
struct InstanceKeys: Hashable, Sendable {
    let instance: String
    private let root: String

    /// - Parameter folder: what it is called in the repository; its name without it.
    /// - Throws: `configuration` for a name that would not be one component of a key.
    init(_ instance: String, folder: String? = nil) throws(FleetError) {
        guard !instance.isEmpty, !instance.hasPrefix("."), instance.utf8.count <= 200,
            instance.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 < 0x7F })
        else { throw FleetError(.configuration, "\(instance) cannot be the name of an instance in a repository") }
        self.instance = instance
        root = "instances/\(folder ?? instance)/"
    }

    var record: String { root + "instance.json" }
    var backups: String { root + "backups/" }
    func backup(_ label: String) -> String { "\(backups)\(label)/" }
    func document(_ label: String) -> String { backup(label) + "backup.json" }
    func manifest(_ label: String) -> String { backup(label) + "manifest.zst" }
    func claim(_ label: String) -> String { backup(label) + "started.json" }
    /// Says that the backup is about to be removed.
    func tombstone(_ label: String) -> String { backup(label) + "expiring.json" }
    /// Keeps the backup whatever retention says.
    func hold(_ label: String) -> String { backup(label) + "hold.json" }
    /// Says that something of the backup is lost.
    func damage(_ label: String) -> String { backup(label) + "damaged.json" }
    /// Where a damaged object is kept out of the way.
    func aside(_ key: String) -> String { root + "damaged/" + key.dropFirst(root.count) }
    /// Says that WAL after the backup's end is not kept.
    func isolation(_ label: String) -> String { backup(label) + "isolated.json" }

    var packs: String { root + "packs/" }
    func packs(of label: String) -> String { "\(packs)\(label)/" }
    func pack(_ id: String) -> String { "\(packs)\(id).pack" }

    /// The id of a pack, from its key; nil for any other key.
    func packID(_ key: String) -> String? {
        guard key.hasPrefix(packs), key.hasSuffix(".pack") else { return nil }
        return String(key.dropFirst(packs.count).dropLast(5))
    }

    /// `(label, name)` of an object of a backup; nil for any other key.
    func backupObject(_ key: String) -> (label: String, name: String)? {
        guard key.hasPrefix(backups) else { return nil }
        let parts = key.dropFirst(backups.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    func wal(_ system: SystemIdentifier) -> String { "\(root)wal/\(system)/" }
    func wal(_ file: WALFileName, _ system: SystemIdentifier) -> String {
        "\(wal(system))\(file.directory)/\(file.text).zst"
    }

    /// The archived file that a key names, and whose it is; nil for any other key.
    func archived(_ key: String) -> (file: WALFileName, system: SystemIdentifier)? {
        let prefix = root + "wal/"
        guard key.hasPrefix(prefix), let digits = UInt64(key.dropFirst(prefix.count).prefix { $0 != "/" }) else {
            return nil
        }
        let system = SystemIdentifier(rawValue: digits)
        return walFile(key, system).map { ($0, system) }
    }

    /// The archived file that a key names; nil for any other key.
    func walFile(_ key: String, _ system: SystemIdentifier) -> WALFileName? {
        let prefix = wal(system)
        guard key.hasPrefix(prefix), key.hasSuffix(".zst"), let slash = key.lastIndex(of: "/") else { return nil }
        guard let file = WALFileName(String(key[key.index(after: slash)...].dropLast(4))) else { return nil }
        return self.wal(file, system) == key ? file : nil
    }
}

/// The name of a file that PostgreSQL archives.
struct WALFileName: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, Codable {
        case segment
        /// The end of a timeline that was left: `<24 digits>.partial`.
        case partial
        /// `<8 digits>.history`
        case history
        /// `<24 digits>.<8 digits>.backup`
        case backupHistory = "backup-history"
    }

    let text: String
    let kind: Kind

    /// Nil for a name that PostgreSQL does not archive.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        switch (parts.count, parts.first?.utf8.count, parts.last) {
        case (1, 24, _): kind = .segment
        case (2, 24, "partial"): kind = .partial
        case (2, 8, "history"): kind = .history
        case (3, 24, "backup") where parts[1].utf8.count == 8 && Self.isHex(parts[1]): kind = .backupHistory
        default: return nil
        }
        guard let digits = parts.first, Self.isHex(digits), UInt32(digits.prefix(8), radix: 16) != 0 else { return nil }
        self.text = text
    }

    init(_ segment: WALSegmentName) {
        text = segment.description
        kind = .segment
    }

    var timeline: TimelineID { UInt32(text.prefix(8), radix: 16) ?? 0 }

    /// The segment that the file is, or belongs to; nil for a history file and for digits that are no segment.
    func segment(ofSize size: UInt64) -> WALSegmentName? {
        kind == .history ? nil : WALSegmentName(text.prefix(24), segmentSize: size)
    }

    /// Below `wal/<system>/`: the timeline, then 256 segments of the default size to a directory.
    var directory: String {
        kind == .history ? String(text.prefix(8)) : "\(text.prefix(8))/\(text.prefix(16))"
    }

    private static func isHex(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x46).contains($0) }
    }
}
