import FleetPluginAPI

extension TargetResolver {
    /// A stop found from one backup on, before losses are counted.
    struct Draft {
        var target: RecoveryTarget
        var backup: BackupRecord
        var stop: RecoverySettings.Stop
        /// Recovery keeps what ends at or before this.
        var stopLSN: LSN?
        /// The end of the record that recovery must read to know that it may stop.
        var provenBy: LSN?
        var needsHeartbeat = false
        var remarks: [String] = []
    }

    /// Tries to reach the target from one backup; a failure says why not.
    func attempt(
        _ target: RecoveryTarget, _ backup: BackupRecord, _ path: ReplayPath
    ) async throws -> Result<Draft, FleetError> {
        guard path.end >= backup.stopLSN else {
            return .failure(
                refused(
                    "the backup \(backup.label) of \(world.instance) cannot be made consistent: WAL segment "
                        + "\(path.missing) is missing"))
        }
        var draft = Draft(target: target, backup: backup, stop: .endOfWAL)
        switch target {
        case .time(let time): return try await attemptTime(time, draft, path)
        case .ago: return .failure(refused("a relative time was not resolved"))
        case .latest:
            if path.isCutByGap { return .failure(gap(path)) }
            draft.stopLSN = path.end
        case .immediate:
            draft.stop = .immediate
            draft.stopLSN = nil
            draft.provenBy = backup.stopLSN
        case .lsn(let lsn): return attemptLSN(lsn, draft, path)
        case .xid(let xid):
            guard let end = try await path.end(ofTransaction: xid, from: backup.startLSN) else {
                return .failure(
                    path.isCutByGap
                        ? gap(path) : refused("transaction \(xid) does not end on timeline \(path.history.timeline)"))
            }
            guard end.end > backup.stopLSN else { return .failure(beforeBackup(backup, "transaction \(xid)")) }
            draft.stop = .xid(xid)
            draft.stopLSN = end.end
            if !end.isCommit { draft.remarks.append("transaction \(xid) was rolled back") }
        case .name(let name), .mark(let name): return try await attemptName(name, draft, path)
        }
        return .success(draft)
    }

    private func attemptTime(
        _ time: Timestamp, _ draft: Draft, _ path: ReplayPath
    ) async throws -> Result<Draft, FleetError> {
        var draft = draft
        draft.stop = .time(time)
        // What was committed before the backup was complete is in it, whatever the target says.
        guard draft.backup.stopTime <= time else { return .failure(beforeBackup(draft.backup, time.description)) }
        if let end = try await path.firstEnd(after: time, from: draft.backup.startLSN) {
            // PostgreSQL looks at every record it replays, so one between the backup's start and stop ends it
            // with "requested recovery stop point is before consistent recovery point".
            guard end.start >= draft.backup.stopLSN else {
                return .failure(beforeBackup(draft.backup, time.description))
            }
            draft.stopLSN = end.start
            draft.provenBy = end.end
            return .success(draft)
        }
        if path.isCutByGap { return .failure(gap(path)) }
        guard world.primaryClock != nil, path.history.timeline == world.currentTimeline else {
            let last = try await path.lastCommit(before: path.end)
            return .failure(
                refused(
                    "the target \(time) lies after the last archived commit of \(world.instance) on timeline "
                        + "\(path.history.timeline)" + (last.map { ", \($0.time)" } ?? ""),
                    hint: path.history.timeline == world.currentTimeline
                        ? "what \(world.instance) wrote after it and did not archive is not known: start it and let it "
                            + "archive, or use --target latest and do without"
                        : "use --target latest with this timeline: no commit lies between"))
        }
        draft.stopLSN = path.end
        draft.needsHeartbeat = true
        draft.remarks.append(
            "nothing was committed after the target yet; fleet commits a heartbeat so that it can be reached")
        return .success(draft)
    }

    private func attemptLSN(_ lsn: LSN, _ draft: Draft, _ path: ReplayPath) -> Result<Draft, FleetError> {
        var draft = draft
        guard lsn >= draft.backup.stopLSN else { return .failure(beforeBackup(draft.backup, "\(lsn)")) }
        draft.stop = .lsn(lsn, inclusive: false)
        draft.stopLSN = lsn
        if lsn < path.end { return .success(draft) }
        if path.isCutByGap { return .failure(gap(path)) }
        guard lsn == path.end, world.primaryClock != nil, path.history.timeline == world.currentTimeline else {
            return .failure(
                refused(
                    "the target \(lsn) lies at or after the end of known WAL of \(world.instance), \(path.end)",
                    hint: "use --target latest"))
        }
        draft.needsHeartbeat = true
        return .success(draft)
    }

    private func attemptName(
        _ name: String, _ draft: Draft, _ path: ReplayPath
    ) async throws -> Result<Draft, FleetError> {
        var draft = draft
        let points = try await path.restorePoints(named: name)
        guard let newest = points.last else {
            return .failure(
                path.isCutByGap
                    ? gap(path)
                    : refused(
                        "there is no restore point \(name) on timeline \(path.history.timeline) after \(draft.backup.label)"
                    ))
        }
        guard newest.end > draft.backup.stopLSN else { return .failure(beforeBackup(draft.backup, name)) }
        draft.stopLSN = newest.end
        if points.count == 1 {
            draft.stop = .name(name)
        } else {
            draft.stop = .lsn(newest.end, inclusive: false)
            draft.remarks.append(
                "\(points.count) restore points are called \(name); the newest, at \(newest.end), is meant")
        }
        return .success(draft)
    }

    private func beforeBackup(_ backup: BackupRecord, _ what: String) -> FleetError {
        refused("\(what) lies before the backup \(backup.label) is consistent (\(backup.stopTime), \(backup.stopLSN))")
    }

    func gap(_ path: ReplayPath) -> FleetError {
        refused("WAL segment \(path.missing) is missing from the archive of \(world.instance)")
    }

    func refused(_ message: String, hint: String? = nil) -> FleetError {
        FleetError(.refused, message, hint: hint)
    }
}
