/// Everything a repository holds for one instance, as its engine reads it.
public struct Catalog: Sendable, Codable {
    /// Oldest first.
    public var backups: [BackupRecord]
    /// One for each timeline seen, the first one included.
    public var timelines: [TimelineHistory]
    /// Archived segments, sorted by name.
    public var segments: [ArchivedSegment]
    /// Bytes per segment; nil while nothing is archived.
    public var segmentSize: UInt64?
    /// What is wrong with the repository, in sentences; the rest of the catalog stands.
    public var problems: [Problem]

    public struct ArchivedSegment: Hashable, Sendable, Codable {
        public var name: WALSegmentName
        /// When it was archived, where the repository knows.
        public var archivedAt: Timestamp?
        public var storedSize: Int64
        /// Nil where the engine keeps none: fetch the segment and summarise it.
        public var summary: WALSegmentSummary?

        public init(name: WALSegmentName, archivedAt: Timestamp?, storedSize: Int64, summary: WALSegmentSummary?) {
            self.name = name
            self.archivedAt = archivedAt
            self.storedSize = storedSize
            self.summary = summary
        }
    }

    public struct Problem: Hashable, Sendable, Codable {
        /// The object, backup or segment concerned.
        public var subject: String
        public var error: FleetError

        public init(subject: String, error: FleetError) {
            self.subject = subject
            self.error = error
        }
    }

    public init(
        backups: [BackupRecord] = [], timelines: [TimelineHistory] = [], segments: [ArchivedSegment] = [],
        segmentSize: UInt64? = nil, problems: [Problem] = []
    ) {
        self.backups = backups
        self.timelines = timelines
        self.segments = segments
        self.segmentSize = segmentSize
        self.problems = problems
    }
}

extension WALSegmentName: Codable {
    private enum CodingKeys: String, CodingKey { case name, segmentSize }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let size = try container.decode(UInt64.self, forKey: .segmentSize)
        let text = try container.decode(String.self, forKey: .name)
        guard let name = WALSegmentName(text, segmentSize: size) else {
            throw DecodingError.dataCorruptedError(
                forKey: .name, in: container, debugDescription: "\(text) is not a WAL segment name")
        }
        self = name
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(description, forKey: .name)
        try container.encode(segmentSize, forKey: .segmentSize)
    }
}
