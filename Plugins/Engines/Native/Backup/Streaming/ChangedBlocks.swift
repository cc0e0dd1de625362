import FleetPluginAPI
import PostgresFormats

/// Which blocks of tables have changed, as far as a visibility map must know.
///
/// A change of a table's page clears that page's bits in the map, and PostgreSQL notes the map's page neither in the WAL
/// record nor, therefore, in a WAL summary (`visibilitymap_clear`): an incremental backup brings the older map, whose
/// bits would hide rows from index-only scans. They are cleared here. A bit that is not set costs a look at the table,
/// and nothing else.
struct ChangedBlocks: Sendable {
    /// By relation and segment, a bit for each block.
    private var segments: [Segment: [UInt64]] = [:]

    private struct Segment: Hashable {
        var relation: String
        var number: UInt32
    }

    /// Blocks whose bits are in one page of a map: two bits for each, after the page's header.
    private static let blocksPerMapPage = UInt32((DataPage.size - headerSize) * 4)
    private static let headerSize = 24

    mutating func add(_ blocks: [UInt32], of file: RelationFile) {
        guard !blocks.isEmpty else { return }
        let words = Int(RelationFile.pagesPerSegment) / 64
        let segment = Segment(relation: file.relation, number: file.segment)
        for block in blocks {
            segments[segment, default: Array(repeating: 0, count: words)][Int(block / 64)] |= 1 << UInt64(block % 64)
        }
    }

    /// A whole file was sent.
    mutating func addAll(of file: RelationFile) {
        segments[Segment(relation: file.relation, number: file.segment)] =
            Array(repeating: .max, count: Int(RelationFile.pagesPerSegment) / 64)
    }

    /// The same without any relation but one; nil when nothing of that has changed.
    func only(_ relation: String) -> ChangedBlocks? {
        let found = segments.filter { $0.key.relation == relation }
        return found.isEmpty ? nil : ChangedBlocks(segments: found)
    }

    private func contains(_ block: UInt32, of relation: String) -> Bool {
        let segment = Segment(relation: relation, number: block / RelationFile.pagesPerSegment)
        guard let bits = segments[segment] else { return false }
        let index = block % RelationFile.pagesPerSegment
        return bits[Int(index / 64)] >> UInt64(index % 64) & 1 == 1
    }

    /// Clears what a relation's map says of the blocks that have changed.
    ///
    /// - Parameters:
    ///   - pages: pages of the map, whole ones.
    ///   - first: the number of the first of them in the map.
    func clear(_ pages: inout [UInt8], first: UInt32, of relation: String) {
        for index in 0..<pages.count / DataPage.size {
            let start = index * DataPage.size
            let number = first + UInt32(index)
            var isCleared = false
            for entry in 0..<Self.blocksPerMapPage where contains(number * Self.blocksPerMapPage + entry, of: relation)
            {
                let place = start + Self.headerSize + Int(entry / 4)
                let kept = pages[place] & ~(0b11 << UInt8(2 * (entry % 4)))
                if kept != pages[place] { isCleared = true }
                pages[place] = kept
            }
            guard isCleared else { continue }
            let page = pages[start..<start + DataPage.size]
            // Servers without checksums leave the field empty.
            guard page.withUnsafeBytes({ DataPage($0).checksum }) != 0 else { continue }
            let checksum = page.withUnsafeBytes { DataPage.checksum(of: $0, block: number) }
            pages[start + 8] = UInt8(truncatingIfNeeded: checksum)
            pages[start + 9] = UInt8(truncatingIfNeeded: checksum >> 8)
        }
    }
}

/// A visibility map that has come in, and waits until it is known which of its table's pages have changed.
struct HeldMap: Sendable {
    /// Relative to the data directory.
    var path: String
    var file: RelationFile
    var pieces: [ChunkPiece] = []

    private static let pagesPerChunk = UInt32(Pack.chunkSize / DataPage.size)

    /// The map's pieces, what changed in its table cleared from those that the server did not send.
    func cleared(_ changed: ChangedBlocks) -> [ChunkPiece] {
        guard let changed = changed.only(file.relation) else { return pieces }
        return pieces.enumerated().map { index, piece in
            let first = file.segment * RelationFile.pagesPerSegment + UInt32(index) * Self.pagesPerChunk
            let clear = ChunkPatch.Clearing(changed: changed, first: first, relation: file.relation)
            var piece = piece
            switch piece.content {
            case .bytes: break
            case .same(let reference, _):
                piece.content = .patch(
                    ChunkPatch(base: reference, length: Int(reference.rawLength), pages: [], clearing: clear))
            case .patch(var patch):
                patch.clearing = clear
                piece.content = .patch(patch)
            }
            return piece
        }
    }
}
