import FleetPluginAPI

/// The header at the front of each WAL page.
///
/// PostgreSQL source: `XLogPageHeaderData` in `src/include/access/xlog_internal.h`.
struct WALPageHeader {
    var magic: UInt16
    var flags: UInt16
    var timeline: TimelineID
    var address: LSN
    /// Bytes left of a record that began on an earlier page.
    var remainingLength: Int

    static let shortSize = 24
    static let longSize = 40

    /// A record goes on at the front of the page.
    var isContinuation: Bool { flags & 0x1 != 0 }
    /// The header is the long one, of a segment's first page.
    var isLong: Bool { flags & 0x2 != 0 }
    /// The record that should have gone on here was never finished; a new one begins instead.
    var isOverwritten: Bool { flags & 0x8 != 0 }
    var hasKnownFlags: Bool { flags & ~0xF == 0 }

    /// Nil when fewer than 24 bytes are left.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        var reader = ByteReader(bytes, at: offset)
        guard let magic = reader.read(UInt16.self), let flags = reader.read(UInt16.self),
            let timeline = reader.read(UInt32.self), let address = reader.read(UInt64.self),
            let length = reader.read(UInt32.self), reader.remaining >= 4
        else { return nil }
        self.magic = magic
        self.flags = flags
        self.timeline = timeline
        self.address = LSN(address)
        remainingLength = Int(length)
    }
}
