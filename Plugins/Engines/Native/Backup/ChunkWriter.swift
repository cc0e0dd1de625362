import FleetPluginAPI
import PostgresFormats
import Synchronization

/// A stretch of a file that becomes one chunk.
struct ChunkPiece: Sendable {
    /// Index of the file.
    var file: Int
    var content: Content
    /// What an older backup has in its place.
    var base: ChunkReference?

    enum Content: Sendable {
        case bytes([UInt8])
        /// It is known to be what the older backup has. With its CRC-32C, where it was read.
        case same(ChunkReference, checksum: UInt32?)
        /// Part of it is; to be resolved before it is written.
        case patch(ChunkPatch)
    }
}

/// A chunk that is stored, in the order in which its piece was given.
struct StoredChunk: Sendable {
    var file: Int
    var reference: ChunkReference
    /// CRC-32C of its content; nil where that was not read.
    var checksum: UInt32?
}

/// Turns pieces into chunks on all cores, fills packs with them and stores the packs while more come in.
///
/// Memory is bounded: so many batches in work, one pack being filled, two being stored.
struct ChunkWriter {
    private let instance: InstanceRepository
    private let label: String
    private let level: Int
    private let known = KnownChunks()
    private var compressing = OrderedTasks<[CompressedPiece]>(limit: 4 * Workers.count)
    private var uploading = OrderedTasks<Void>(limit: 2)
    private var pack: PackBuilder
    /// The base's first, then those of this backup.
    private(set) var packs: [PackEntry]
    private let inherited: Int
    /// Pieces whose content was stored already.
    private(set) var reused = 0

    /// - Parameters:
    ///   - inherited: packs that `ChunkPiece.base` refers to.
    ///   - unfinished: what earlier attempts have stored, wherever it belongs.
    init(
        instance: InstanceRepository, label: String, level: Int, inherited: [PackEntry] = [],
        unfinished: [UnfinishedBackup] = []
    ) {
        self.instance = instance
        self.label = label
        self.level = level
        packs = inherited
        for attempt in unfinished {
            for chunk in attempt.chunks {
                var chunk = chunk
                chunk.pack += UInt32(packs.count)
                known.add(chunk)
            }
            packs += attempt.packs
        }
        self.inherited = packs.count
        pack = PackBuilder(id: Self.id(label, 0))
    }

    /// Takes a batch of pieces. Returns chunks that were finished meanwhile.
    mutating func add(_ pieces: [ChunkPiece]) async throws -> [StoredChunk] {
        var stored: [StoredChunk] = []
        while compressing.isFull { stored += try await store(compressing.take()) }
        compressing.add { [known, level] in try Self.compress(pieces, known, level) }
        return stored
    }

    /// Lets a batch of pieces be read where it is hashed and compressed. Returns chunks that were finished meanwhile.
    mutating func add(reading read: @escaping @Sendable () async throws -> [ChunkPiece]) async throws -> [StoredChunk] {
        var stored: [StoredChunk] = []
        while compressing.isFull { stored += try await store(compressing.take()) }
        compressing.add { [known, level] in try Self.compress(await read(), known, level) }
        return stored
    }

    /// Stores what is left and waits until all packs are durable. Returns the rest of the chunks.
    mutating func finish() async throws -> [StoredChunk] {
        var stored: [StoredChunk] = []
        while !compressing.isEmpty { stored += try await store(compressing.take()) }
        if !pack.isEmpty { try await seal() }
        while !uploading.isEmpty { try await uploading.take() }
        return stored
    }

    mutating func abandon() async {
        await compressing.abandon()
        await uploading.abandon()
    }

    private static func compress(
        _ pieces: [ChunkPiece], _ known: KnownChunks, _ level: Int
    ) throws -> [CompressedPiece] {
        try pieces.map { piece in
            switch piece.content {
            case .patch: throw FleetError(.failed, "a patch was not resolved")
            case .same(let base, let checksum):
                return CompressedPiece(
                    file: piece.file, rawLength: Int(base.rawLength), hash: base.hash, checksum: checksum, base: base)
            case .bytes(let bytes):
                return try bytes.withUnsafeBytes { bytes in
                    let hash = ContentHash(of: bytes)
                    var checksum = CRC32C()
                    checksum.update(bytes)
                    let base = piece.base.flatMap { $0.hash == hash ? $0 : nil }
                    let isStored = base != nil || known.contains(hash)
                    return CompressedPiece(
                        file: piece.file, rawLength: bytes.count, hash: hash, checksum: checksum.value, base: base,
                        frame: isStored ? nil : try Zstd.compress(bytes, level: level))
                }
            }
        }
    }

    private mutating func store(_ pieces: [CompressedPiece]) async throws -> [StoredChunk] {
        var stored: [StoredChunk] = []
        stored.reserveCapacity(pieces.count)
        for piece in pieces {
            if let reference = piece.base ?? known.reference(piece.hash) {
                reused += 1
                stored.append(StoredChunk(file: piece.file, reference: reference, checksum: piece.checksum))
                continue
            }
            guard let frame = piece.frame else {
                throw FleetError(.failed, "a chunk was taken for stored and is not")
            }
            let offset = pack.append(frame, rawLength: piece.rawLength, hash: piece.hash)
            let reference = ChunkReference(
                pack: UInt32(packs.count), offset: offset, storedLength: UInt32(frame.count),
                rawLength: UInt32(piece.rawLength), hash: piece.hash)
            known.add(reference)
            stored.append(StoredChunk(file: piece.file, reference: reference, checksum: piece.checksum))
            if pack.isFull { try await seal() }
        }
        return stored
    }

    private mutating func seal() async throws {
        let full = pack
        pack = PackBuilder(id: Self.id(label, packs.count - inherited + 1))
        let (bytes, entry) = full.seal()
        packs.append(entry)
        while uploading.isFull { try await uploading.take() }
        uploading.add { [instance] in
            try await instance.storage.put(instance.keys.pack(entry.id), bytes, condition: .absent)
        }
    }

    private static func id(_ label: String, _ number: Int) -> String {
        let digits = String(number)
        return "\(label)/" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

private struct CompressedPiece: Sendable {
    var file: Int
    var rawLength: Int
    var hash: ContentHash
    var checksum: UInt32?
    /// Where an older backup has the same content in the same place.
    var base: ChunkReference?
    /// Nil when the chunk was stored already.
    var frame: [UInt8]?
}

/// Chunks of this backup by content: system catalogs are the same in every database, and zeros in every file.
private final class KnownChunks: Sendable {
    private let chunks = Mutex<[ContentHash: ChunkReference]>([:])
    /// Some 30 MB; what comes later is stored again.
    private static let limit = 1 << 18

    func contains(_ hash: ContentHash) -> Bool {
        chunks.withLock { $0[hash] != nil }
    }

    func reference(_ hash: ContentHash) -> ChunkReference? {
        chunks.withLock { $0[hash] }
    }

    func add(_ chunk: ChunkReference) {
        chunks.withLock { if $0.count < Self.limit { $0[chunk.hash] = chunk } }
    }
}
