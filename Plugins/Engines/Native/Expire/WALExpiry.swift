import FleetPluginAPI
import PostgresFormats

/// Removes archived WAL that no kept backup can use. History files stay always: they are small, and without them no
/// later timeline can be reached.
struct WALExpiry: Sendable {
    let instance: InstanceRepository
    let state: RepositoryState
    let now: Timestamp
    let isDryRun: Bool

    /// - Parameters:
    ///   - backups: those that can be restored to any time after them.
    ///   - held: those that can be restored to their own end, and are marked as such before the rest goes.
    func run(keeping backups: [BackupRecord], held: [BackupRecord], _ report: inout ExpireReport) async throws {
        guard let record = try await instance.record() else { return }
        for label in held.map(\.label) where !isDryRun { try await instance.isolate(label, at: now) }
        for system in record.systems.map(\.identifier) {
            try await run(
                backups.filter { $0.systemIdentifier == system }, held.filter { $0.systemIdentifier == system }, system,
                &report)
        }
        report.removedWAL.sort()
    }

    private func run(
        _ backups: [BackupRecord], _ held: [BackupRecord], _ system: SystemIdentifier, _ report: inout ExpireReport
    ) async throws {
        let objects = try await instance.storage.listAll(instance.keys.wal(system))
        let files = objects.compactMap { object in
            instance.keys.walFile(object.key, system).map { (file: $0, object: object) }
        }
        let archive = ArchiveReader(instance: instance, system: system)
        var histories: [TimelineID: TimelineHistory] = [1: TimelineHistory(timeline: 1)]
        for timeline in Set(files.map(\.file.timeline)).sorted() where timeline > 1 {
            switch try await Outcome({ try await archive.history(timeline) }) {
            case .success(let history): histories[timeline] = history
            case .failure(let error): report.remarks.append("WAL of timeline \(timeline) stays: \(error)")
            }
        }
        guard let segmentSize = state.published.lazy.compactMap(\.segmentSize).first else { return }
        let ownWAL = Set(held.flatMap { WALRange($0, segmentSize: segmentSize).segments })
        for (file, object) in files where file.kind != .history {
            guard let segment = file.segment(ofSize: segmentSize), let history = histories[segment.timeline],
                !ownWAL.contains(segment), isExpendable(segment, history, object.modified, backups)
            else { continue }
            report.removedWAL.append(file.text)
            report.freed += object.size
            if !isDryRun { try await instance.storage.delete(object.key) }
        }
    }

    /// A segment is of use to a backup when it lies behind the backup's start on a timeline that leads through it.
    private func isExpendable(
        _ segment: WALSegmentName, _ history: TimelineHistory, _ archivedAt: Timestamp, _ backups: [BackupRecord]
    ) -> Bool {
        let leading = backups.filter { Self.leads(history, through: $0) }
        if leading.contains(where: { segment.end > $0.startLSN }) { return false }
        if !leading.isEmpty { return true }
        // A timeline that no backup leads to may have a backup under way, or one to come soon.
        return state.claims.isEmpty && now - archivedAt > BackupClaim.lifetime
    }

    /// Whether recovery that begins at the backup can follow this timeline.
    private static func leads(_ history: TimelineHistory, through backup: BackupRecord) -> Bool {
        guard let exit = history.exit(from: backup.timeline) else { return false }
        return exit.map { backup.stopLSN <= $0 } ?? true
    }
}
