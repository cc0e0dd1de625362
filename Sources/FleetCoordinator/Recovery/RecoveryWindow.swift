public import FleetPluginAPI

/// A span of one timeline to which an instance can really be restored.
public struct RecoveryWindow: Hashable, Sendable, Codable {
    public var timeline: TimelineID
    /// The first position a restore can stop at.
    public var startLSN: LSN
    /// The end of the last whole record without a hole before it.
    public var endLSN: LSN
    /// The stop of the earliest backup, or the time at which the timeline begins.
    public var start: Timestamp
    /// The last transaction end inside; equal to `start` when there is none.
    public var end: Timestamp
    /// Labels of the backups that stop inside.
    public var backups: [String]
    /// What ends it.
    public var ending: Ending

    public enum Ending: Hashable, Sendable, Codable {
        /// The newest WAL there is.
        case newest
        /// What follows was removed on purpose: the backup is held, and retention does not keep its WAL.
        case trimmed
        /// A segment is missing.
        case gap(missing: String)
        /// The timeline was left here by a restore or failover.
        case abandoned
    }

    public init(
        timeline: TimelineID, startLSN: LSN, endLSN: LSN, start: Timestamp, end: Timestamp, backups: [String],
        ending: Ending
    ) {
        self.timeline = timeline
        self.startLSN = startLSN
        self.endLSN = endLSN
        self.start = start
        self.end = end
        self.backups = backups
        self.ending = ending
    }
}

extension RecoveryWindow {
    /// Every window that the archive and the backups give, timelines in order, oldest window first.
    public static func all(in map: ArchiveMap, backups: [BackupRecord]) -> [RecoveryWindow] {
        map.timelines.flatMap { timeline -> [RecoveryWindow] in
            guard let history = map.history(of: timeline) else { return [] }
            return windows(on: timeline, history, map, backups.filter { $0.problem == nil })
        }
    }

    private static func windows(
        on timeline: TimelineID, _ history: TimelineHistory, _ map: ArchiveMap, _ backups: [BackupRecord]
    ) -> [RecoveryWindow] {
        let usable = backups.filter(history.isReached(from:))
        guard let farthest = map.farthestNumber(along: history) else { return [] }
        let begin = history.ancestors.last?.switchLSN ?? .zero
        var windows: [RecoveryWindow] = []
        var covered = LSN.zero
        for backup in usable.sorted(by: { $0.startLSN < $1.startLSN }) where backup.startLSN >= covered {
            let run = map.run(from: backup.startLSN, along: history)
            guard let last = run.last, last.name.end >= backup.stopLSN else { continue }
            covered = last.name.end
            let isNewest = last.name.number >= farthest
            let end = last.summary?.endOfRecords ?? last.name.end
            guard end > begin else { continue }
            let inside = usable.filter {
                $0.startLSN >= backup.startLSN && $0.stopLSN <= last.name.end && $0.timeline == timeline
            }
            let startLSN = max(backup.stopLSN, begin)
            let startTime =
                startLSN == begin
                ? timeBefore(begin, in: run) ?? backup.stopTime : backup.stopTime
            let endTime = run.last { $0.summary?.latestTime != nil }?.summary?.latestTime ?? startTime
            windows.append(
                RecoveryWindow(
                    timeline: timeline, startLSN: startLSN, endLSN: max(end, startLSN), start: startTime,
                    end: max(startTime, endTime), backups: inside.map(\.label),
                    ending: isNewest
                        ? (isAbandoned(timeline, map) ? .abandoned : .newest)
                        : isTrimmed(last.name, usable)
                            ? .trimmed : .gap(missing: map.name(last.name.number + 1, along: history).description)))
        }
        return windows
    }

    /// Whether there is a younger timeline: it left this one, or one of those that this one came from.
    private static func isAbandoned(_ timeline: TimelineID, _ map: ArchiveMap) -> Bool {
        map.timelines.contains { $0 > timeline }
    }

    private static func isTrimmed(_ last: WALSegmentName, _ backups: [BackupRecord]) -> Bool {
        backups.contains { backup in
            backup.isIsolated == true && backup.timeline == last.timeline && backup.stopLSN > last.start
                && backup.stopLSN <= last.end
        }
    }

    private static func timeBefore(_ lsn: LSN, in run: [Catalog.ArchivedSegment]) -> Timestamp? {
        run.last { ($0.summary?.last?.end ?? $0.name.end) <= lsn && $0.summary?.latestTime != nil }?.summary?.latestTime
    }
}
