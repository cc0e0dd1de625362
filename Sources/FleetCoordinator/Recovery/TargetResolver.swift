import FleetPluginAPI

/// Finds the backup, timeline and stop for a target, or refuses with the nearest target that works.
///
/// Chooses by evidence: a backup whose stop lies before the place where recovery would really stop, on the path of
/// the timeline, with every segment between them at hand.
public struct TargetResolver: Sendable {
    let world: RecoveryWorld

    public init(_ world: RecoveryWorld) {
        self.world = world
    }

    /// - Throws: `refused` with a hint that names the nearest target that works.
    public func resolve(_ request: TargetRequest) async throws -> ResolvedTarget {
        let target = absolute(request.target)
        let history = try timelineHistory(request)
        try checkClock(target)
        let candidates = try candidates(request, on: history)
        var reasons: [FleetError] = []
        for backup in candidates {
            let path = ReplayPath(from: backup.startLSN, along: history, world.map, world.reader)
            switch try await attempt(target, backup, path) {
            case .success(let draft):
                if let (own, ownPath) = try await onItsOwnTimeline(draft, history) {
                    return try await finish(own, ownPath, askedFor: history)
                }
                return try await finish(draft, path, askedFor: history)
            case .failure(let reason): reasons.append(reason)
            }
        }
        throw try await refusal(target, history, reasons)
    }

    /// The same stop, reached along the timeline on which it lies, where that is an ancestor of the one asked for and
    /// its own WAL is there.
    ///
    /// Along the younger timeline PostgreSQL would be promoted with a history that leaves it before its beginning.
    private func onItsOwnTimeline(
        _ draft: Draft, _ history: TimelineHistory
    ) async throws -> (Draft, ReplayPath)? {
        guard let stop = draft.stopLSN, let span = history.path.last(where: { $0.start <= stop }),
            span.timeline != history.timeline, let exit = span.end, (draft.provenBy ?? stop) <= exit,
            let own = world.map.history(of: span.timeline)
        else { return nil }
        let path = ReplayPath(from: draft.backup.startLSN, along: own, world.map, world.reader)
        guard case .success(let found) = try await attempt(draft.target, draft.backup, path), found.stopLSN == stop
        else { return nil }
        return (found, path)
    }

    private func absolute(_ target: RecoveryTarget) -> RecoveryTarget {
        guard case .ago(let duration) = target else { return target }
        let moment = (world.primaryClock ?? world.now) - duration
        return .time(Timestamp(microseconds: moment.microseconds / 1_000_000 * 1_000_000))
    }

    private func timelineHistory(_ request: TargetRequest) throws -> TimelineHistory {
        let named = request.timeline ?? world.currentTimeline
        let timeline = named ?? world.usableBackups.first?.timeline ?? 1
        guard let history = world.map.history(of: timeline) else {
            throw FleetError(
                .refused, "the history file of timeline \(timeline) of \(world.instance) is not in the archive",
                hint: "PostgreSQL cannot follow that timeline without it; timelines that can be followed: "
                    + world.map.timelines.filter { world.map.history(of: $0) != nil }.map(String.init)
                    .joined(separator: ", "))
        }
        return history
    }

    private func checkClock(_ target: RecoveryTarget) throws {
        guard case .time(let time) = target else { return }
        let clock = world.primaryClock ?? world.now
        guard time > clock else { return }
        throw FleetError(
            .refused, "the target \(time) lies in the future of \(world.instance), whose clock says \(clock)",
            hint: "use latest for the newest state")
    }

    private func candidates(_ request: TargetRequest, on history: TimelineHistory) throws -> [BackupRecord] {
        let usable = world.usableBackups
        if let label = request.backup {
            guard let backup = world.catalog.backups.first(where: { $0.label == label }) else {
                throw FleetError(
                    .notFound, "\(world.instance) has no backup \(label)", hint: "see: fleet backups list")
            }
            guard usable.contains(backup) else {
                throw FleetError(
                    .refused, "the backup \(label) of \(world.instance) cannot be used",
                    cause: backup.problem ?? "it is of another system identifier, \(backup.systemIdentifier)",
                    hint: "leave out --backup and fleet chooses one")
            }
            return [backup]
        }
        guard !usable.isEmpty else {
            throw FleetError(
                .refused, "\(world.instance) has no usable backup",
                cause: world.catalog.problems.first.map { "\($0.subject): \($0.error)" },
                hint: "make one with: fleet backup \(world.instance)")
        }
        return usable.filter(history.isReached(from:))
    }
}

extension TimelineHistory {
    /// Whether this timeline is reached from the backup: it was complete before the path left its timeline.
    func isReached(from backup: BackupRecord) -> Bool {
        guard let exit = exit(from: backup.timeline) else { return false }
        return exit.map { backup.stopLSN <= $0 } ?? true
    }
}
