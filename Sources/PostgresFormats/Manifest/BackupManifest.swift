public import FleetPluginAPI

/// A `backup_manifest`: every file of a base backup with its size and checksum, and the WAL that it needs.
///
/// PostgreSQL manual, chapter 73 (Backup Manifest Format).
public struct BackupManifest: Hashable, Sendable {
    /// 1 (PostgreSQL 13 to 16) or 2 (since 17).
    public var version: Int
    /// Since version 2.
    public var systemIdentifier: SystemIdentifier?
    public var files: [File]
    public var walRanges: [WALRange]

    public struct File: Hashable, Sendable {
        /// Relative to the data directory. Where the name is not UTF-8, a readable stand-in for `rawPath`.
        public var path: String
        /// The bytes of a name that is not UTF-8; else nil.
        public var rawPath: [UInt8]?
        public var size: UInt64
        /// Whole seconds.
        public var lastModified: Timestamp
        /// Nil when the backup was made without.
        public var checksum: Checksum?

        public init(
            path: String, rawPath: [UInt8]? = nil, size: UInt64, lastModified: Timestamp, checksum: Checksum?
        ) {
            self.path = path
            self.rawPath = rawPath
            self.size = size
            self.lastModified = lastModified
            self.checksum = checksum
        }
    }

    public struct Checksum: Hashable, Sendable {
        public var algorithm: ChecksumAlgorithm
        public var value: [UInt8]

        public init(_ algorithm: ChecksumAlgorithm, _ value: [UInt8]) {
            self.algorithm = algorithm
            self.value = value
        }

        /// PostgreSQL writes the number's bytes as they lie in memory.
        public init(crc32c value: UInt32) {
            self.init(.crc32c, withUnsafeBytes(of: value.littleEndian) { Array($0) })
        }
    }

    /// What `MANIFEST_CHECKSUMS` takes, but for NONE, which is no checksum.
    public enum ChecksumAlgorithm: String, Hashable, Sendable, CaseIterable {
        case crc32c = "CRC32C"
        case sha224 = "SHA224"
        case sha256 = "SHA256"
        case sha384 = "SHA384"
        case sha512 = "SHA512"

        /// Bytes of a checksum.
        public var length: Int {
            switch self {
            case .crc32c: 4
            case .sha224: 28
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    /// WAL that must be replayed to make the backup consistent.
    public struct WALRange: Hashable, Sendable {
        public var timeline: TimelineID
        public var start: LSN
        public var end: LSN

        public init(timeline: TimelineID, start: LSN, end: LSN) {
            self.timeline = timeline
            self.start = start
            self.end = end
        }
    }

    public init(version: Int, systemIdentifier: SystemIdentifier?, files: [File], walRanges: [WALRange]) {
        self.version = version
        self.systemIdentifier = systemIdentifier
        self.files = files
        self.walRanges = walRanges
    }

    /// Bytes of all files.
    public var size: UInt64 { files.reduce(0) { $0 &+ $1.size } }
}
