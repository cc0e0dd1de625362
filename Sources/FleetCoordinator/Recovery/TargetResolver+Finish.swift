import FleetPluginAPI

extension TargetResolver {
    /// Counts what would be lost and gathers what replay will need.
    ///
    /// - Parameter askedFor: the timeline that the target was looked for on; the path may end on an ancestor.
    func finish(_ draft: Draft, _ path: ReplayPath, askedFor: TimelineHistory) async throws -> ResolvedTarget {
        let provenBy = draft.provenBy ?? draft.stopLSN ?? path.end
        let used = path.run.filter { $0.name.start < provenBy || $0.name.start <= draft.backup.stopLSN }
        var resolved = ResolvedTarget(
            requested: draft.target, backup: draft.backup, stop: draft.stop, timeline: path.history.timeline,
            stopLSN: draft.stopLSN, lastKept: nil, lost: LostCommits(), segments: used.count,
            pendingSegments: used.count { world.map.isPending($0.name) },
            firstSegment: used.first.map(\.name.description) ?? "",
            lastSegment: used.last.map(\.name.description) ?? "",
            needsHeartbeat: draft.needsHeartbeat, parameters: nil, remarks: draft.remarks)
        if draft.target == .immediate { resolved.timeline = draft.backup.timeline }
        let changes = path.parameterChanges()
        resolved.parameters = changes.first.map { changes.dropFirst().reduce($0) { $0.merged(with: $1) } }
        let stop = draft.stopLSN ?? draft.backup.stopLSN
        resolved.lastKept = try await path.lastCommit(before: stop)
        resolved.lost = try await losses(after: stop, path)
        resolved.remarks += abandonedFutures(draft.target, askedFor)
        return resolved
    }

    /// Commits of the *current* timeline that the restored state will not hold.
    private func losses(after stop: LSN, _ path: ReplayPath) async throws -> LostCommits {
        guard let current = world.currentTimeline, current != path.history.timeline,
            let history = world.map.history(of: current)
        else { return try await path.commits(from: stop) }
        let fork = divergence(history, path.history)
        let present = ReplayPath(from: min(stop, fork), along: history, world.map, world.reader)
        return try await present.commits(from: min(stop, fork))
    }

    /// Where two timelines part.
    private func divergence(_ one: TimelineHistory, _ other: TimelineHistory) -> LSN {
        let pairs = zip(one.path, other.path)
        for (left, right) in pairs where left.timeline != right.timeline || left.end != right.end {
            guard left.timeline == right.timeline else { return left.start }
            return min(left.end ?? LSN(.max), right.end ?? LSN(.max))
        }
        return LSN(.max)
    }

    /// Timelines that were left behind but have commits at the time asked for.
    private func abandonedFutures(_ target: RecoveryTarget, _ history: TimelineHistory) -> [String] {
        guard case .time(let time) = target else { return [] }
        return world.windows
            .filter { window in
                guard window.timeline != history.timeline, window.start <= time, time <= window.end,
                    let other = world.map.history(of: window.timeline)
                else { return false }
                let parting = divergence(other, history)
                return window.endLSN > parting && isAfterExit(time, parting, window)
            }
            .map {
                "timeline \($0.timeline) also has commits around \(time), abandoned by an earlier restore or failover; "
                    + "--timeline \($0.timeline) restores those"
            }
    }

    /// Whether what the timeline holds at `time` lies behind the place where the path left it.
    private func isAfterExit(_ time: Timestamp, _ exit: LSN, _ window: RecoveryWindow) -> Bool {
        let after = world.map.numbers(on: window.timeline).compactMap {
            world.map.segment($0, on: window.timeline)?.summary
        }
        return after.contains { summary in
            guard let first = summary.first, let last = summary.last else { return false }
            return first.start >= exit && first.time <= time || last.start >= exit && last.time <= time
        }
    }
}
