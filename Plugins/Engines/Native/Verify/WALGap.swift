import FleetPluginAPI
import PostgresFormats

/// Segments that are missing between others of their timeline.
struct WALGap: Hashable, Sendable, CustomStringConvertible {
    var first: WALSegmentName
    var last: WALSegmentName

    var description: String { first == last ? "\(first)" : "\(first) … \(last)" }

    /// - Parameters:
    ///   - range: of the earliest backup that is kept; what lies before its start is of no use to any.
    ///   - isolated: the last segments of backups whose further WAL was removed on purpose.
    static func all(in archived: [WALFileName], from range: WALRange, isolated: Set<WALSegmentName>) -> [WALGap] {
        let segments = archived.filter { $0.kind == .segment }
            .compactMap { $0.segment(ofSize: range.segmentSize) }.filter { $0.end > range.start }
        return Dictionary(grouping: segments, by: \.timeline).sorted { $0.key < $1.key }.flatMap { timeline, segments in
            let numbers = segments.map(\.number).sorted()
            func name(_ number: UInt64) -> WALSegmentName {
                WALSegmentName(timeline: timeline, number: number, segmentSize: range.segmentSize)
            }
            return zip(numbers, numbers.dropFirst()).filter {
                $1 > $0 + 1 && !isolated.contains(name($0))
            }.map { before, after in
                WALGap(first: name(before + 1), last: name(after - 1))
            }
        }
    }
}
