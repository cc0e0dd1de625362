import FleetPluginAPI
import PostgresFormats

/// Reads archived WAL back and checks it, and that each backup has the WAL that makes it consistent.
struct ArchiveVerification: Sendable {
    let instance: InstanceRepository
    let meter: ProgressMeter
    /// How much of the files is read, in percent.
    var share = 100

    /// - Parameter everything: All archived files of every server; otherwise what the backups need to be consistent.
    func verify(_ backups: [(BackupRecord, WALRange)], everything: Bool, _ report: inout VerifyReport) async throws {
        let record: InstanceRecord
        switch try await Outcome({ try await instance.record() }) {
        case .success(.some(let found)): record = found
        case .success(nil):
            if !backups.isEmpty {
                report.add(instance.keys.record, FleetError(.corrupted, "\(instance.keys.record) is missing"))
            }
            return
        case .failure(let error): return report.add(instance.keys.record, error)
        }
        for system in record.systems.map(\.identifier) {
            try await verify(backups.filter { $0.0.systemIdentifier == system }, system, everything, &report)
        }
    }

    private func verify(
        _ backups: [(BackupRecord, WALRange)], _ system: SystemIdentifier, _ everything: Bool,
        _ report: inout VerifyReport
    ) async throws {
        let archive = ArchiveReader(instance: instance, system: system)
        let objects = try await instance.storage.listAll(instance.keys.wal(system))
        let archived = objects.compactMap { instance.keys.walFile($0.key, system) }
        let present = Set(archived)
        var needed: Set<WALFileName> = []
        for (backup, range) in backups {
            needed.formUnion(range.files)
            for missing in range.files where !present.contains(missing) {
                report.add(
                    instance.keys.wal(missing, system),
                    FleetError(
                        .corrupted, "the WAL segment \(missing.text) is missing",
                        cause: "the backup \(backup.label) cannot become consistent without it"))
            }
        }
        if everything, let earliest = backups.map(\.1).min(by: { $0.start < $1.start }) {
            let isolated = backups.filter { $0.0.isIsolated == true }.compactMap(\.1.segments.last)
            for gap in WALGap.all(in: archived, from: earliest, isolated: Set(isolated)) {
                report.add(
                    instance.keys.wal(WALFileName(gap.first), system),
                    FleetError(
                        .corrupted, "WAL is missing: \(gap.description)",
                        cause: "segments before and after it are in the archive",
                        hint: "nothing can be restored to a time between it and the next backup"))
            }
        }
        let asked = (everything ? archived : archived.filter(needed.contains)).filter { _ in isDrawn(share) }
        meter.begin("verify WAL", total: nil)
        let outcomes = try await concurrently(asked, limit: Workers.count) { [meter] file in
            let outcome = try await Outcome { try await archive.read(file) }
            if case .success(.some(let (header, _))) = outcome { meter.add(header.size) }
            return outcome.map { $0?.header }
        }
        for (file, outcome) in zip(asked, outcomes) {
            report.archivedFiles += 1
            switch outcome {
            case .success(let header): report.bytes += header?.size ?? 0
            case .failure(let error): report.add(instance.keys.wal(file, system), error)
            }
        }
    }
}

extension Outcome {
    func map<Other: Sendable>(_ transform: (Value) -> Other) -> Outcome<Other> {
        switch self {
        case .success(let value): .success(transform(value))
        case .failure(let error): .failure(error)
        }
    }
}

/// The WAL between the start and the stop of a backup.
struct WALRange: Hashable, Sendable {
    var timeline: TimelineID
    var start: LSN
    var stop: LSN
    var segmentSize: UInt64

    init(timeline: TimelineID, start: LSN, stop: LSN, segmentSize: UInt64) {
        self.timeline = timeline
        self.start = start
        self.stop = stop
        self.segmentSize = segmentSize
    }

    init(_ backup: BackupRecord, segmentSize: UInt64) {
        self.init(
            timeline: backup.timeline, start: backup.startLSN, stop: backup.stopLSN, segmentSize: segmentSize)
    }

    /// Every segment that holds a byte of it, in order.
    var segments: [WALSegmentName] {
        let first = WALSegmentName(timeline: timeline, containing: start, segmentSize: segmentSize)
        let last = WALSegmentName(
            timeline: timeline, containing: LSN(max(stop.rawValue, start.rawValue + 1) - 1), segmentSize: segmentSize)
        return (first.number...max(first.number, last.number)).map {
            WALSegmentName(timeline: timeline, number: $0, segmentSize: segmentSize)
        }
    }

    var files: [WALFileName] { segments.map(WALFileName.init) }
}

extension InstanceRepository {
    /// Labels of published backups, oldest first.
    func publishedLabels() async throws -> [String] {
        try await storage.listAll(keys.backups).compactMap { object in
            keys.backupObject(object.key).flatMap { $0.name == "backup.json" ? $0.label : nil }
        }.sorted()
    }
}
