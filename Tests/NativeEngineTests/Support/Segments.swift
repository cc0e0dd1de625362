import FleetPluginAPI

@testable import NativeEngine

/// WAL segments that hold nothing but their header and some bytes to tell them apart.
enum Segments {
    static let size: UInt64 = 1 << 20
    static let system = SystemIdentifier(rawValue: 7_000_000_000_000_000_001)

    static func name(_ number: UInt64, timeline: TimelineID = 1) -> WALSegmentName {
        WALSegmentName(timeline: timeline, number: number, segmentSize: size)
    }

    /// PostgreSQL 15's long page header (`XLogLongPageHeaderData`).
    static func bytes(
        _ name: WALSegmentName, system: SystemIdentifier = system, filler: UInt8 = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt16(0xD110))
        bytes.append(littleEndian: UInt16(2))
        bytes.append(littleEndian: name.timeline)
        bytes.append(littleEndian: name.start.rawValue)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: system.rawValue)
        bytes.append(littleEndian: UInt32(name.segmentSize))
        bytes.append(littleEndian: UInt32(8192))
        bytes += [UInt8](repeating: filler, count: Int(name.segmentSize) - bytes.count)
        return bytes
    }
}
