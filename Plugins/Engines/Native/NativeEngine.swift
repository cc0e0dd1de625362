public import FleetPluginAPI
import FoundationEssentials

/// fleet's own engine: takes base backups over the replication protocol, or from the files where they lie, into a
/// repository of content-addressed chunks, and archives WAL beside them. The repository is described in `docs/repository-format.md`.
public struct NativeEngine: Engine {
    /// zstd level of chunks.
    let level: Int
    /// How long a backup waits for the archiver.
    let archiveTimeout: Duration
    /// Bytes that a backup reads, and that a restore writes, in a second at most; nil for no limit.
    let backupRate: Int64?
    let restoreRate: Int64?
    /// Whether backups read the server's files; else the server sends them.
    let readsFiles: Bool
    /// How WAL comes into the archive.
    let transport: WALTransport
    let resolve: SecretResolver

    /// `wal:`
    enum WALTransport: Hashable, Sendable {
        /// By `archive_command`.
        case archive
        /// Through a replication slot, nil for the one of the instance's name; what waits longer than `switchAfter` is
        /// made a segment of its own.
        case stream(slot: String?, switchAfter: Duration?)
    }

    static let name = "native"
    static let defaultLevel = 1

    public static let descriptor = PluginDescriptor(
        role: .engine, name: name, version: "0.1.0",
        summary: "fleet's own backups: streamed over the replication protocol, checked, compressed, restored in place",
        options: [
            OptionSpec(
                "compressionLevel", .integer(minimum: 1, maximum: 19), default: .integer(Int64(defaultLevel)),
                help: "zstd level of backups. Higher ones are smaller and slower."),
            OptionSpec(
                "archiveTimeout", .duration, default: "5m",
                help: "How long a backup waits until PostgreSQL has archived the WAL that it needs."),
            OptionSpec(
                "read", .choice(["stream", "files"]), default: "stream",
                help: """
                    How a backup reads the data: sent by the server over the replication protocol, or from its files, \
                    by a task beside them, on all cores and without what is unchanged.
                    """),
            OptionSpec(
                "wal", .choice(["archive", "stream"]), default: "archive",
                help: """
                    How WAL comes into the archive: by the server's archive_command, or received over the replication \
                    protocol by fleet wal receive.
                    """),
            OptionSpec(
                "slot", .string,
                help: "The replication slot of wal: stream. Without it: fleet_ and the instance's name."),
            OptionSpec(
                "segmentTimeout", .duration, default: "1m",
                help: "After so long a segment that holds something is ended and archived (wal: stream); 0s for never."),
            OptionSpec(
                "backupRate", .size,
                help: "How much of the data directory a backup reads in a second at most: 32KiB to 1GiB."),
            OptionSpec("restoreRate", .size, help: "How much a restore fetches and writes in a second at most."),
        ])

    /// - Parameter resolve: gives the passphrases of encrypted repositories.
    public init(_ options: PluginOptions = PluginOptions(), resolve: @escaping SecretResolver) throws {
        self.resolve = resolve
        level = options.integer("compressionLevel").map(Int.init) ?? Self.defaultLevel
        archiveTimeout = options.duration("archiveTimeout") ?? .seconds(300)
        let slot = options.string("slot")
        if let slot, slot.isEmpty || slot.utf8.count > 63 || !slot.utf8.allSatisfy(Self.isSlotLetter) {
            throw FleetError(.configuration, "slot is of a-z, 0-9 and _ , at most 63 of them, not \(slot)")
        }
        readsFiles = options.string("read") == "files"
        let timeout = options.duration("segmentTimeout") ?? .seconds(60)
        transport =
            options.string("wal") == "stream"
            ? .stream(slot: slot, switchAfter: timeout == .zero ? nil : timeout) : .archive
        backupRate = options.size("backupRate")
        restoreRate = options.size("restoreRate")
        // What the replication protocol allows (basebackup.c, MAX_RATE_LOWER and MAX_RATE_UPPER).
        if let backupRate, !(32 << 10...1 << 30).contains(backupRate) {
            throw FleetError(.configuration, "backupRate is from 32KiB to 1GiB a second")
        }
        if let restoreRate, restoreRate < 1 {
            throw FleetError(.configuration, "restoreRate is at least one byte a second")
        }
        guard (1...19).contains(level) else {
            throw FleetError(.configuration, "compressionLevel is from 1 to 19, not \(level)")
        }
    }

    /// What a replication slot's name is made of (PostgreSQL manual, section 27.2.6).
    static func isSlotLetter(_ letter: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(letter) || letter == UInt8(ascii: "_")
    }

    public var capabilities: EngineCapabilities {
        EngineCapabilities(
            backupKinds: [.full, .diff, .incr], deltaRestore: true, remapsTablespaces: true, keepsConfiguration: true,
            upkeep: [.hold, .copy, .repair])
    }

    public func event(fromLine line: String) -> TaskEvent? {
        guard line.hasPrefix("{") else { return line.isEmpty ? nil : .log(line) }
        return (try? JSONText.decode(TaskEvent.self, Array(line.utf8), "an event")) ?? .log(line)
    }
}
