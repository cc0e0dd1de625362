import FleetPluginAPI
import FoundationEssentials

/// Everything that a backup consists of, complete in itself: what to make, and where each byte of it lies.
struct Manifest: Sendable {
    struct Header: Hashable, Sendable, Codable {
        var format = RepositoryFormat.version
        var instance: String
        var label: String
        var systemIdentifier: SystemIdentifier
        /// `server_version_num`.
        var serverVersion: Int
        /// Bytes per WAL segment.
        var segmentSize: UInt64
        var tablespaces: [BackupRecord.Tablespace]
    }

    /// Paths are relative to the data directory, with those in tablespaces below `pg_tblspc/<oid>/`.
    struct Directory: Hashable, Sendable, Codable {
        var path: String
        /// Permission bits.
        var mode: UInt32
        /// Seconds since 1970.
        var modified: Int64
    }

    struct Link: Hashable, Sendable, Codable {
        var path: String
        var target: String
        /// The tablespace whose location the link names; nil for any other link.
        var tablespace: UInt32?
    }

    struct File: Hashable, Sendable, Codable {
        var path: String
        var size: Int64
        var mode: UInt32
        var modified: Int64
        /// CRC-32C of its content, as the server's manifest has it.
        var crc32c: UInt32
        /// Where its chunks stand in `Manifest.chunks`, in the order of its content.
        var chunks: Range<Int> = 0..<0
        /// Of each chunk; nil where they are not known.
        var chunkChecksums: ChunkChecksums?

        private enum CodingKeys: String, CodingKey { case path, size, mode, modified, crc32c, chunkChecksums }
    }

    /// CRC-32C of a file's chunks, in their order: with them the file's own is known when some chunks are taken over by
    /// a later backup and not read.
    struct ChunkChecksums: Hashable, Sendable, Codable {
        var values: [UInt32]

        init(_ values: [UInt32]) {
            self.values = values
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let bytes = Array(try container.decode(Data.self))
            guard bytes.count.isMultiple(of: 4) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a checksum is cut short")
            }
            values = stride(from: 0, to: bytes.count, by: 4).map { start in
                bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
        }

        func encode(to encoder: any Encoder) throws {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(values.count * 4)
            for value in values { bytes.append(littleEndian: value) }
            var container = encoder.singleValueContainer()
            try container.encode(Data(bytes))
        }
    }

    var header: Header
    var packs: [PackEntry] = []
    var directories: [Directory] = []
    var links: [Link] = []
    var files: [File] = []
    var chunks: [ChunkReference] = []
    /// The server's own backup_manifest, byte for byte.
    var serverManifest: [UInt8] = []
    /// `backup_label` and `tablespace_map`, byte for byte; nil where the server sent none.
    var backupLabel: [UInt8]?
    var tablespaceMap: [UInt8]?

    /// Bytes of all files.
    var size: Int64 { files.reduce(0) { $0 + $1.size } }
}

/// The records of a manifest; `docs/repository-format.md`.
enum ManifestRecord: UInt8 {
    case header = 0x48  // H
    case pack = 0x50  // P
    case directory = 0x44  // D
    case link = 0x4C  // L
    case file = 0x46  // F
    case chunks = 0x43  // C
    case serverManifest = 0x4D  // M
    case backupLabel = 0x42  // B
    case tablespaceMap = 0x54  // T
    case end = 0x45  // E

    static let tag: StaticString = "FLTMANI1"
    /// Content is compressed in frames of this many bytes, so that a reader needs no more memory at once.
    static let frameSize = 8 << 20
    /// Content of a manifest, at most: some eight terabytes of data.
    static let limit = 4 << 30
}

/// What a manifest ends with, so that one that was cut short is not taken for whole.
struct ManifestTotals: Hashable, Sendable, Codable {
    var packs: Int
    var directories: Int
    var links: Int
    var files: Int
    var chunks: Int
    /// Bytes of all files.
    var size: Int64

    init(_ manifest: Manifest) {
        packs = manifest.packs.count
        directories = manifest.directories.count
        links = manifest.links.count
        files = manifest.files.count
        chunks = manifest.chunks.count
        size = manifest.size
    }
}
