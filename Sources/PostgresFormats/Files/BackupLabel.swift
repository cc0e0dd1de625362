public import FleetPluginAPI

/// A `backup_label` file, or the `.backup` history file that stands for it in the archive.
///
/// PostgreSQL source: `build_backup_content` in `src/backend/access/transam/xlogbackup.c`.
public struct BackupLabel: Hashable, Sendable {
    /// The file as it was read. A restore writes these bytes and no others.
    public let bytes: [UInt8]
    /// Where replay begins.
    public var startLSN: LSN
    /// The segment in which replay begins, as text: its size is not told.
    public var startSegment: String
    public var checkpointLSN: LSN
    public var timeline: TimelineID
    /// `streamed` or `pg_start_backup`; nil where the file does not say.
    public var method: String?
    /// `primary` or `standby`; nil where the file does not say.
    public var source: String?
    /// When the backup began; nil when the server wrote it in a zone that cannot be told from its abbreviation.
    public var startTime: Timestamp?
    public var label: String
    /// What an incremental backup is based on.
    public var incrementalFrom: Position?
    /// Only in history files.
    public var stop: Position?

    public struct Position: Hashable, Sendable {
        public var lsn: LSN
        public var timeline: TimelineID

        public init(lsn: LSN, timeline: TimelineID) {
            self.lsn = lsn
            self.timeline = timeline
        }
    }

    /// - Throws: `corrupted` when a line that PostgreSQL needs is missing or cannot be read.
    public init(_ bytes: [UInt8]) throws(FleetError) {
        guard bytes.count <= 1 << 20, let text = String(validating: bytes, as: UTF8.self) else {
            throw Self.corrupted("it is not a text file")
        }
        var fields: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Self.corrupted("a line has no colon") }
            fields[parts[0]] = parts[1].first == " " ? parts[1].dropFirst() : parts[1]
        }
        let (start, segment) = try Self.location("START WAL LOCATION", fields)
        self.bytes = bytes
        startLSN = start
        startSegment = segment
        checkpointLSN = try Self.lsn("CHECKPOINT LOCATION", fields)
        guard let timeline = fields["START TIMELINE"].map({ UInt32($0) }) ?? UInt32(segment.prefix(8), radix: 16),
            timeline > 0, UInt32(segment.prefix(8), radix: 16) == timeline
        else { throw Self.corrupted("START TIMELINE is not that of the start segment") }
        self.timeline = timeline
        method = fields["BACKUP METHOD"].map(String.init)
        source = fields["BACKUP FROM"].map(String.init)
        startTime = fields["START TIME"].flatMap { Timestamp(postgresText: $0) }
        label = fields["LABEL"].map(String.init) ?? ""
        if fields["INCREMENTAL FROM LSN"] != nil {
            incrementalFrom = Position(
                lsn: try Self.lsn("INCREMENTAL FROM LSN", fields),
                timeline: try Self.timeline("INCREMENTAL FROM TLI", fields))
        }
        if fields["STOP WAL LOCATION"] != nil {
            stop = Position(
                lsn: try Self.location("STOP WAL LOCATION", fields).lsn,
                timeline: try Self.timeline("STOP TIMELINE", fields))
        }
    }

    /// The file without the lines by which PostgreSQL refuses to start on an incremental backup.
    public static func withoutIncremental(_ bytes: [UInt8]) -> [UInt8] {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let marker = Array("INCREMENTAL FROM ".utf8)
        return Array(lines.filter { !$0.starts(with: marker) }.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// `0/2000028 (file 000000010000000000000002)`
    private static func location(
        _ name: Substring, _ fields: [Substring: Substring]
    ) throws(FleetError) -> (lsn: LSN, segment: String) {
        let words = fields[name]?.split(separator: " ") ?? []
        guard words.count == 3, let lsn = LSN(words[0]), words[1] == "(file", words[2].last == ")" else {
            throw corrupted("\(name) is missing or cannot be read")
        }
        let segment = String(words[2].dropLast())
        guard WALSegmentName(segment, segmentSize: 1 << 20) != nil else {
            throw corrupted("\(name) names no WAL segment")
        }
        return (lsn, segment)
    }

    private static func lsn(_ name: Substring, _ fields: [Substring: Substring]) throws(FleetError) -> LSN {
        guard let lsn = fields[name].flatMap({ LSN($0) }) else {
            throw corrupted("\(name) is missing or cannot be read")
        }
        return lsn
    }

    private static func timeline(
        _ name: Substring, _ fields: [Substring: Substring]
    ) throws(FleetError) -> TimelineID {
        guard let timeline = fields[name].flatMap({ UInt32($0) }) else {
            throw corrupted("\(name) is missing or cannot be read")
        }
        return timeline
    }

    private static func corrupted(_ cause: String) -> FleetError {
        FleetError(.corrupted, "the backup_label is damaged", cause: cause)
    }
}
