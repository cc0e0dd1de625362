import Compression
import FleetPluginAPI

/// Where a chunk lies.
struct ChunkReference: Hashable, Sendable {
    /// Index into the pack table of the manifest.
    var pack: UInt32
    /// First byte of its zstd frame in the pack.
    var offset: UInt32
    /// Bytes of the frame.
    var storedLength: UInt32
    /// Bytes of the content.
    var rawLength: UInt32
    /// SHA-256 of the content.
    var hash: ContentHash

    static let encodedSize = 48

    var range: Range<Int64> { Int64(offset)..<Int64(offset) + Int64(storedLength) }
}

/// A pack as a manifest names it.
struct PackEntry: Hashable, Sendable, Codable {
    /// `<label of the backup that wrote it>/<8 digits>`
    var id: String
    /// Bytes of the object.
    var size: Int64
    /// The checksum that the pack ends with.
    var sha256: ContentHash

    /// Of the backup that wrote it.
    var label: String { Self.label(ofID: id) }

    static func label(ofID id: String) -> String { String(id.prefix { $0 != "/" }) }
}

extension [PackEntry] {
    /// The first that is missing or cut short.
    ///
    /// - Parameter sizes: of those that are there, by id.
    func firstMissing(from sizes: [String: Int64]) -> PackEntry? { first { sizes[$0.id] != $0.size } }
}

/// The format of packs: a skippable frame that names the pack, a zstd frame for each chunk, a skippable frame with the
/// index and a checksum over all of it. `docs/repository-format.md` says it byte for byte.
enum Pack {
    /// A pack is sealed when it has grown to this many bytes.
    static let targetSize = 32 << 20
    /// Content of a chunk, at most: 16 pages of 8 KiB.
    static let chunkSize = 128 << 10

    static let headerKind: UInt8 = 15
    static let indexKind: UInt8 = 14
    static let headerTag: StaticString = "FLTPACK1"
    static let footerTag: StaticString = "FLTPEND1"
    /// Count, reserved, SHA-256, tag.
    static let footerSize = 4 + 4 + ContentHash.byteCount + 8
    static let entrySize = 48

    static func header(_ id: String) -> [UInt8] {
        var data: [UInt8] = []
        data.append(ascii: headerTag)
        data.append(contentsOf: id.utf8)
        return SkippableFrame(kind: headerKind, data: data).bytes
    }
}

/// A pack while it is filled.
struct PackBuilder {
    let id: String
    private(set) var bytes: [UInt8]
    private var index: [UInt8] = []
    private var count: UInt32 = 0

    init(id: String) {
        self.id = id
        bytes = []
        bytes.reserveCapacity(Pack.targetSize + (2 << 20))
        bytes += Pack.header(id)
    }

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { bytes.count >= Pack.targetSize }

    /// Adds a chunk's frame. Returns where it begins.
    mutating func append(_ frame: [UInt8], rawLength: Int, hash: ContentHash) -> UInt32 {
        let offset = UInt32(bytes.count)
        bytes += frame
        index.append(littleEndian: offset)
        index.append(littleEndian: UInt32(frame.count))
        index.append(littleEndian: UInt32(rawLength))
        index.append(littleEndian: UInt32(0))
        index += hash.bytes
        count += 1
        return offset
    }

    /// The whole object, and what a manifest says of it.
    consuming func seal() -> (bytes: [UInt8], entry: PackEntry) {
        let dataSize = UInt32(index.count + Pack.footerSize)
        bytes.append(littleEndian: 0x184D_2A50 | UInt32(Pack.indexKind))
        bytes.append(littleEndian: dataSize)
        bytes += index
        bytes.append(littleEndian: count)
        bytes.append(littleEndian: UInt32(0))
        let hash = ContentHash(of: bytes)
        bytes += hash.bytes
        bytes.append(ascii: Pack.footerTag)
        return (bytes, PackEntry(id: id, size: Int64(bytes.count), sha256: hash))
    }
}
