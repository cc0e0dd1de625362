import FleetPluginAPI

/// Reads chunks out of packs: neighbours with one request, each checked before it is handed out.
struct ChunkReader: Sendable {
    let instance: InstanceRepository
    let packs: [PackEntry]

    /// Neighbours that are no further apart than this are read together.
    private static let gap: Int64 = 64 << 10
    /// Stored bytes of one request, at most.
    private static let span: Int64 = 8 << 20

    /// The content of each chunk, in their order. Call it on a worker: it decompresses and hashes.
    ///
    /// - Throws: `corrupted` that names the pack: missing, cut short, or a chunk whose SHA-256 differs.
    func read(_ chunks: [ChunkReference]) async throws -> [[UInt8]] {
        var contents: [[UInt8]] = []
        contents.reserveCapacity(chunks.count)
        var next = 0
        while next < chunks.count {
            let pack = chunks[next].pack
            var range = chunks[next].range
            var end = next + 1
            while end < chunks.count, chunks[end].pack == pack, chunks[end].range.lowerBound >= range.lowerBound,
                chunks[end].range.lowerBound - range.upperBound <= Self.gap,
                chunks[end].range.upperBound - range.lowerBound <= Self.span
            {
                range = range.lowerBound..<max(range.upperBound, chunks[end].range.upperBound)
                end += 1
            }
            try contents.append(contentsOf: await read(chunks[next..<end], in: range, of: packs[Int(pack)]))
            next = end
        }
        return contents
    }

    private func read(_ chunks: ArraySlice<ChunkReference>, in range: Range<Int64>, of pack: PackEntry) async throws
        -> [[UInt8]]
    {
        let key = instance.keys.pack(pack.id)
        let bytes: [UInt8]
        do {
            bytes = try await instance.storage.get(key, range: range)
        } catch let error as FleetError where error.code == .notFound {
            throw FleetError(.corrupted, "the pack \(pack.id) is missing", cause: "there is no \(key)")
        }
        guard bytes.count == range.count else {
            throw FleetError(
                .corrupted, "the pack \(pack.id) is damaged",
                cause: "it ends before byte \(range.upperBound)")
        }
        return try bytes.withUnsafeBytes { bytes in
            try chunks.map { chunk in
                let start = Int(chunk.range.lowerBound - range.lowerBound)
                let frame = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(chunk.storedLength)])
                return try Self.content(of: frame, chunk, pack.id)
            }
        }
    }

    /// A chunk's content, checked.
    static func content(of frame: UnsafeRawBufferPointer, _ chunk: ChunkReference, _ pack: String) throws -> [UInt8] {
        let content = try Zstd.decompress(
            frame, length: Int(chunk.rawLength), "the chunk at byte \(chunk.offset) of the pack \(pack)")
        guard ContentHash(of: content) == chunk.hash else {
            throw FleetError(
                .corrupted, "the chunk at byte \(chunk.offset) of the pack \(pack) is damaged",
                cause: "its SHA-256 differs")
        }
        return content
    }
}
