import FleetPluginAPI

/// The fixed front of a WAL record.
///
/// PostgreSQL source: `XLogRecord` in `src/include/access/xlogrecord.h`.
struct WALRecordHeader {
    /// Bytes of the whole record, this header included.
    var length: Int
    var xid: UInt32
    /// Where the record before this one begins.
    var previous: LSN
    var info: UInt8
    var resourceManager: UInt8
    var crc: UInt32

    static let size = 24
    /// `XLogRecordMaxSize`, 1020 MiB: nothing writes a longer one.
    static let lengths = size...1020 << 20

    static let transactionLog: UInt8 = 1
    static let log: UInt8 = 0

    /// - Precondition: `bytes` has 24 bytes from `offset` on.
    @inline(__always)
    init(_ bytes: UnsafeRawPointer) {
        length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        xid = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        previous = LSN(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        info = bytes.load(fromByteOffset: 16, as: UInt8.self)
        resourceManager = bytes.load(fromByteOffset: 17, as: UInt8.self)
        crc = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self))
    }

    /// Whether the record may be one that `WALEvent` describes.
    @inline(__always)
    var isOfInterest: Bool {
        switch resourceManager {
        case Self.transactionLog: info & 0x70 <= 0x40
        case Self.log: Self.logKinds & (1 << UInt16(info >> 4)) != 0
        default: false
        }
    }

    /// CHECKPOINT_SHUTDOWN 0, CHECKPOINT_ONLINE 1, SWITCH 4, PARAMETER_CHANGE 6, RESTORE_POINT 7, END_OF_RECOVERY 9.
    private static let logKinds: UInt16 = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 9

    var isSegmentSwitch: Bool {
        resourceManager == Self.log && info & 0xF0 == 0x40
    }
}
