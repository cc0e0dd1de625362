import DurableFiles
import FleetPluginAPI
import Glibc
import PostgresFormats

/// A part of a file that becomes one or several chunks, in their order.
struct FileStretch: Sendable {
    /// Index of the file.
    var file: Int
    /// Absolute.
    var place: String
    /// Relative to the data directory.
    var path: String
    var relation: RelationFile?
    var offset: Int64
    var count: Int
    /// What an older backup has in the place of each chunk.
    var base: ArraySlice<ChunkReference>
    /// CRC-32C of each of them; empty where they are not known.
    var baseChecksums: ArraySlice<UInt32>
}

/// Reads stretches of files that a server is writing to.
struct FileStretchReader: Sendable {
    /// Nil where every byte is compared.
    let trust: BaseTrust?
    /// Whether the server's pages have checksums.
    let verifies: Bool

    /// Blocks. A file that has become shorter since it was listed, or is gone, reads as zeros, as the server's own
    /// backup has it: WAL does the rest.
    ///
    /// - Throws: `corrupted` that names the page whose checksum is wrong.
    func pieces(of stretch: FileStretch) throws -> [ChunkPiece] {
        let file: FileReader?
        do {
            file = try FileReader(stretch.place)
        } catch let error as FleetError where error.code == .notFound {
            file = nil
        }
        var pieces: [ChunkPiece] = []
        var base = stretch.base
        var checksums = stretch.baseChecksums
        var offset = stretch.offset
        let end = stretch.offset + Int64(stretch.count)
        while offset < end {
            let count = min(Pack.chunkSize, Int(end - offset))
            var bytes = try file?.read(at: offset, count: count) ?? []
            bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
            let reference = base.popFirst()
            // What the base holds may differ in hint bits: its own checksum counts.
            if let checksum = checksums.popFirst(), let reference, let trust, Int(reference.rawLength) == count,
                bytes.withUnsafeBytes({ trust.isUnchanged($0, of: stretch.relation) })
            {
                pieces.append(
                    ChunkPiece(file: stretch.file, content: .same(reference, checksum: checksum), base: reference))
            } else {
                if let file { try verify(&bytes, at: offset, of: stretch, file) }
                pieces.append(ChunkPiece(file: stretch.file, content: .bytes(bytes), base: reference))
            }
            offset += Int64(count)
        }
        return pieces
    }

    /// How often a page is read again whose checksum is wrong, as it is while the server writes it.
    private static let rereads = 5

    private func verify(_ bytes: inout [UInt8], at offset: Int64, of stretch: FileStretch, _ file: FileReader) throws {
        guard verifies, let relation = stretch.relation else { return }
        let first = relation.segment * RelationFile.pagesPerSegment + UInt32(offset / Int64(DataPage.size))
        for index in 0..<bytes.count / DataPage.size {
            let range = index * DataPage.size..<(index + 1) * DataPage.size
            let block = first + UInt32(index)
            var attempts = 0
            while !bytes.withUnsafeBytes({ Self.isSound(UnsafeRawBufferPointer(rebasing: $0[range]), block) }) {
                guard attempts < Self.rereads else {
                    throw FleetError(
                        .corrupted, "the server's data is damaged: page \(block) of \(stretch.path)",
                        cause: "its checksum is wrong, each of \(attempts + 1) times that it was read",
                        hint: "restore it from an older backup; pg_amcheck tells what it belongs to")
                }
                attempts += 1
                usleep(2000)
                let again = try file.read(at: offset + Int64(range.lowerBound), count: DataPage.size)
                // The relation was cut off before the page.
                guard again.count == DataPage.size else { break }
                bytes.replaceSubrange(range, with: again)
            }
        }
    }

    private static func isSound(_ page: UnsafeRawBufferPointer, _ block: UInt32) -> Bool {
        let header = DataPage(page)
        return header.isNew || DataPage.checksum(of: page, block: block) == header.checksum
    }
}
