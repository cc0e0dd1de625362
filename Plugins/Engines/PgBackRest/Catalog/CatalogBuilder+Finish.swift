import FleetPluginAPI

extension CatalogBuilder {
    /// The whole, checked against itself.
    mutating func finish() async -> Catalog {
        addTimelines()
        checkBackups()
        if readings.allSatisfy({ $0.failure == nil }) { await memory.keepOnly(keys) }
        return catalog
    }

    private mutating func addTimelines() {
        let seen = Set(catalog.segments.map(\.name.timeline))
        if seen.contains(1) || !catalog.timelines.isEmpty || !catalog.backups.isEmpty {
            catalog.timelines.append(TimelineHistory(timeline: 1))
        }
        catalog.timelines.sort { $0.timeline < $1.timeline }
        for timeline in seen.subtracting(catalog.timelines.map(\.timeline)).sorted() {
            let name = TimelineHistory.fileName(of: timeline)
            add(
                FleetError(
                    .corrupted, "timeline \(timeline) has no history in the archive",
                    hint: "copy \(name) from the server's pg_wal with pgbackrest archive-push"), name)
        }
    }

    /// A backup without the WAL of its own time cannot be made consistent.
    private mutating func checkBackups() {
        guard let size = catalog.segmentSize else { return }
        let system = readings.lazy.compactMap(\.server?.systemIdentifier).first
        let names = Set(catalog.segments.map(\.name))
        for index in catalog.backups.indices {
            let backup = catalog.backups[index]
            guard backup.problem == nil, backup.systemIdentifier == system, backup.stopLSN > backup.startLSN else {
                continue
            }
            let last = (backup.stopLSN.rawValue - 1) / size
            let missing = (backup.startLSN.rawValue / size...last).lazy
                .map { WALSegmentName(timeline: backup.timeline, number: $0, segmentSize: size) }
                .first { !names.contains($0) }
            if let missing { catalog.backups[index].problem = "WAL segment \(missing), which it needs, is missing" }
        }
    }
}
