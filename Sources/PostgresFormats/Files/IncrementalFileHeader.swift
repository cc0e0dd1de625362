public import FleetPluginAPI

/// What an `INCREMENTAL.…` file of a base backup begins with: which of a relation's pages follow.
///
/// PostgreSQL source: `src/backend/backup/basebackup_incremental.c` and `src/bin/pg_combinebackup/reconstruct.c`.
public struct IncrementalFileHeader: Hashable, Sendable {
    /// Pages that follow, in ascending order.
    public var blocks: [UInt32]
    /// The file has at least so many pages; those that do not follow are the older backup's.
    public var truncationLength: UInt32
    /// Bytes before the first page.
    public var size: Int

    private static let magic: UInt32 = 0xD3AE_1F0D
    private static let fixedSize = 12

    /// Pages of the file that is made of it.
    public var length: UInt32 { max(truncationLength, blocks.last.map { $0 + 1 } ?? 0) }

    /// Nil while these are too few bytes.
    ///
    /// - Parameter bytes: the beginning of the file.
    /// - Throws: `corrupted` when no such header begins here.
    public init?(_ bytes: [UInt8]) throws(FleetError) {
        guard bytes.count >= Self.fixedSize else { return nil }
        func word(_ index: Int) -> UInt32 {
            (0..<4).reversed().reduce(0) { $0 << 8 | UInt32(bytes[4 * index + $1]) }
        }
        let count = word(1)
        guard word(0) == Self.magic, count <= RelationFile.pagesPerSegment,
            word(2) <= RelationFile.pagesPerSegment
        else { throw Self.corrupted("it does not begin as one") }
        let used = Self.fixedSize + 4 * Int(count)
        // Pages begin at a multiple of their size; without any there is no padding.
        size = count == 0 ? used : (used + DataPage.size - 1) / DataPage.size * DataPage.size
        guard bytes.count >= size else { return nil }
        truncationLength = word(2)
        blocks = (0..<Int(count)).map { word(3 + $0) }
        guard zip(blocks, blocks.dropFirst()).allSatisfy({ $0 < $1 }),
            blocks.last.map({ $0 < RelationFile.pagesPerSegment }) ?? true
        else { throw Self.corrupted("its pages are not in order") }
    }

    private static func corrupted(_ cause: String) -> FleetError {
        FleetError(.corrupted, "an incremental file of the backup is damaged", cause: cause)
    }
}
