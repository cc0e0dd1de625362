import FleetPluginAPI

extension InfoDocument.Backup {
    /// Names of the segments from its start to its stop, without which it cannot be made consistent.
    ///
    /// The size of segments is not told; it is the one by which both names fit their positions. Where several do, only
    /// the two ends are named.
    var neededSegments: [String] {
        guard let archive else { return [] }
        let ends = archive.start == archive.stop ? [archive.start] : [archive.start, archive.stop]
        guard let lsn, let start = LSN(lsn.start), let stop = LSN(lsn.stop), start < stop else { return ends }
        let spans = (20...30).compactMap { power -> [String]? in
            let size = UInt64(1) << UInt64(power)
            guard let first = WALSegmentName(archive.start, segmentSize: size), first.start <= start, start < first.end,
                let last = WALSegmentName(archive.stop, segmentSize: size), last.start < stop, stop <= last.end,
                last.timeline == first.timeline, first.number <= last.number, last.number - first.number < 1 << 20
            else { return nil }
            return (first.number...last.number).map {
                "\(WALSegmentName(timeline: first.timeline, number: $0, segmentSize: size))"
            }
        }
        return spans.count == 1 ? spans[0] : ends
    }
}
