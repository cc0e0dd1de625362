internal import CChecksum
public import FleetPluginAPI

/// What can be told of one page of a relation by its header.
///
/// PostgreSQL source: `src/include/storage/bufpage.h`.
public struct DataPage: Hashable, Sendable {
    /// Bytes of a page, as PostgreSQL is built by everybody.
    public static let size = 8192

    /// The end of the newest WAL record that changed it; zero for a page that was never written.
    public var lsn: LSN
    /// `pd_checksum`; only of meaning where data checksums are on.
    public var checksum: UInt16
    /// `pd_upper`: zero for a page that was added and not yet filled.
    public var upper: UInt16
    /// `pd_pagesize_version`
    public var layout: UInt16

    /// - Precondition: `page` has `DataPage.size` bytes.
    @inline(__always)
    public init(_ page: UnsafeRawBufferPointer) {
        precondition(page.count == Self.size, "a page has \(Self.size) bytes")
        // Two 32-bit halves, the higher one first.
        let high = UInt64(page.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
        let low = UInt64(page.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        lsn = LSN(high << 32 | low)
        checksum = page.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        upper = page.loadUnaligned(fromByteOffset: 14, as: UInt16.self)
        layout = page.loadUnaligned(fromByteOffset: 18, as: UInt16.self)
    }

    /// It was added to the relation and not yet filled.
    public var isNew: Bool { upper == 0 }

    /// The header is one that PostgreSQL 8.3 and later write on pages of 8 KiB.
    public var isFamiliar: Bool { layout == UInt16(Self.size) | 4 && upper != 0 && upper <= UInt16(Self.size) }

    /// What `pd_checksum` should be.
    ///
    /// - Parameter block: the page's number in its relation, all segments counted.
    public static func checksum(of page: UnsafeRawBufferPointer, block: UInt32) -> UInt16 {
        guard let start = page.baseAddress, page.count == size else { preconditionFailure("a page has \(size) bytes") }
        return postgres_page_checksum(start, block)
    }
}
