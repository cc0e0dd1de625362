import FleetPluginAPI
import PostgresFormats

/// A relation's file of which the server sends the pages that have changed: together with what the older backup has,
/// it becomes the whole file's chunks, as they come in and in their order.
struct IncrementalFile {
    /// Index of the file in the backup.
    let file: Int
    /// What the server calls it, with the bytes that it sends.
    let sentPath: String
    let sentSize: Int64
    private(set) var sentChecksum = CRC32C()
    private let base: [ChunkReference]
    private let checksums: [UInt32]
    private var pending: [UInt8] = []
    private var header: IncrementalFileHeader?
    /// Blocks of the header that have come in.
    private var blocks = 0
    /// Chunks that were handed on.
    private var chunks = 0
    /// Of the chunk that comes next.
    private var pages: [ChunkPatch.Page] = []

    private static let pagesPerChunk = UInt32(Pack.chunkSize / DataPage.size)

    /// - Parameters:
    ///   - base: what the older backup has of the file, and the checksums of that.
    init(
        file: Int, sentPath: String, sentSize: Int64, base: ArraySlice<ChunkReference>, checksums: [UInt32]
    ) {
        self.file = file
        self.sentPath = sentPath
        self.sentSize = sentSize
        self.base = Array(base)
        self.checksums = checksums
    }

    /// The pages that are sent; empty until the beginning has come in.
    var changed: [UInt32] { header?.blocks ?? [] }

    /// Bytes of the whole file; nil until its beginning has come in.
    var size: Int64? { header.map { Int64($0.length) * Int64(DataPage.size) } }

    /// Takes the next bytes. Returns pieces that are complete.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws -> [ChunkPiece] {
        sentChecksum.update(bytes)
        pending.append(contentsOf: bytes)
        var pieces: [ChunkPiece] = []
        if header == nil {
            guard let header = try IncrementalFileHeader(pending) else { return [] }
            pending.removeFirst(header.size)
            self.header = header
        }
        guard let header else { return [] }
        var used = 0
        while pending.count - used >= DataPage.size {
            guard blocks < header.blocks.count else { throw damage("more pages follow than were announced") }
            let block = header.blocks[blocks]
            pieces += handOn(upTo: Int(block / Self.pagesPerChunk), header)
            pages.append(
                .init(
                    offset: Int(block % Self.pagesPerChunk) * DataPage.size,
                    bytes: Array(pending[used..<used + DataPage.size])))
            used += DataPage.size
            blocks += 1
        }
        if used > 0 { pending.removeFirst(used) }
        return pieces
    }

    /// Says that no more will come. Returns the rest of the pieces.
    mutating func finish() throws -> [ChunkPiece] {
        guard let header, blocks == header.blocks.count, pending.isEmpty else {
            throw damage("it ends before its last page")
        }
        return handOn(upTo: (Int(header.length) + Int(Self.pagesPerChunk) - 1) / Int(Self.pagesPerChunk), header)
    }

    /// Hands on the chunks before one: the one that has pages, and those that have none.
    private mutating func handOn(upTo end: Int, _ header: IncrementalFileHeader) -> [ChunkPiece] {
        var pieces: [ChunkPiece] = []
        while chunks < end {
            let start = chunks * Pack.chunkSize
            let length = min(Pack.chunkSize, Int(header.length) * DataPage.size - start)
            let reference = chunks < base.count ? base[chunks] : nil
            if pages.isEmpty, let reference, Int(reference.rawLength) == length {
                pieces.append(
                    ChunkPiece(
                        file: file, content: .same(reference, checksum: checksums[chunks]), base: reference))
            } else {
                pieces.append(
                    ChunkPiece(
                        file: file, content: .patch(ChunkPatch(base: reference, length: length, pages: pages)),
                        base: reference))
            }
            pages = []
            chunks += 1
        }
        return pieces
    }

    private func damage(_ cause: String) -> FleetError {
        FleetError(.protocolViolation, "the server sent a damaged \(sentPath)", cause: cause)
    }
}

/// A chunk of which some pages are new, and the rest is what an older backup has in its place.
struct ChunkPatch: Sendable {
    var base: ChunkReference?
    /// Bytes of the chunk. What the older one does not have is zeros.
    var length: Int
    var pages: [Page]
    /// What no longer holds of a visibility map in the older one.
    var clearing: Clearing?

    struct Clearing: Sendable {
        var changed: ChangedBlocks
        /// The number of the chunk's first page in the map.
        var first: UInt32
        var relation: String
    }

    struct Page: Sendable {
        /// In the chunk.
        var offset: Int
        var bytes: [UInt8]
    }

    /// Reads what lies below the patches of a batch, and applies them.
    static func resolve(_ pieces: [ChunkPiece], _ chunks: ChunkReader) async throws -> [ChunkPiece] {
        var wanted: [ChunkReference] = []
        for case .patch(let patch) in pieces.map(\.content) {
            if let base = patch.base, patch.pages.count * DataPage.size < patch.length { wanted.append(base) }
        }
        var found = try await chunks.read(wanted)[...]
        return pieces.map { piece in
            guard case .patch(let patch) = piece.content else { return piece }
            var bytes: [UInt8] = []
            if patch.base != nil, patch.pages.count * DataPage.size < patch.length {
                bytes = Array((found.popFirst() ?? []).prefix(patch.length))
            }
            bytes.append(contentsOf: repeatElement(0, count: patch.length - bytes.count))
            if let clearing = patch.clearing {
                clearing.changed.clear(&bytes, first: clearing.first, of: clearing.relation)
            }
            for page in patch.pages {
                bytes.replaceSubrange(page.offset..<page.offset + page.bytes.count, with: page.bytes)
            }
            var piece = piece
            piece.content = .bytes(bytes)
            return piece
        }
    }
}
