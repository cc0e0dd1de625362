import FleetPluginAPI

extension TargetResolver {
    /// Why nothing reaches the target, and what does.
    func refusal(_ target: RecoveryTarget, _ history: TimelineHistory, _ reasons: [FleetError]) async throws
        -> FleetError
    {
        let windows = world.windows.filter { $0.timeline == history.timeline || history.exit(from: $0.timeline) != nil }
        // The newest backup's reason for what lies behind it, the oldest one's for what lies before.
        var error =
            reasons.first { $0.hint != nil } ?? reasons.last
            ?? refused("no backup of \(world.instance) leads to timeline \(history.timeline)")
        error.message = "\(world.instance) cannot be restored to \(target): \(error.message)"
        error.hint = error.hint ?? nearest(target, windows)
        return error
    }

    private func nearest(_ target: RecoveryTarget, _ windows: [RecoveryWindow]) -> String {
        guard !windows.isEmpty else {
            return "there is no recovery window; make a backup with: fleet backup \(world.instance)"
        }
        switch target {
        case .time(let time):
            let before = windows.filter { $0.end <= time }.max { $0.end < $1.end }
            let after = windows.filter { $0.start >= time }.min { $0.start < $1.start }
            let offers = [before.map { "\($0.end) before it" }, after.map { "\(whole($0.start)) after it" }]
            let named = offers.compactMap { $0 }
            if named.isEmpty { break }
            return "the nearest targets that work: " + named.joined(separator: ", ")
        case .lsn(let lsn):
            let before = windows.filter { $0.endLSN <= lsn }.max { $0.endLSN < $1.endLSN }
            let after = windows.filter { $0.startLSN >= lsn }.min { $0.startLSN < $1.startLSN }
            let offers = [before.map { "lsn:\($0.endLSN)" }, after.map { "lsn:\($0.startLSN)" }].compactMap { $0 }
            if offers.isEmpty { break }
            return "the nearest targets that work: " + offers.joined(separator: ", ")
        default: break
        }
        return "recovery windows: "
            + windows.map { "\($0.start) to \($0.end) (timeline \($0.timeline))" }.joined(separator: ", ")
    }

    /// The next whole second: a backup that stopped at .4 s is consistent for targets from .4 s on.
    private func whole(_ time: Timestamp) -> Timestamp {
        let second: Int64 = 1_000_000
        return Timestamp(microseconds: (time.microseconds + second - 1) / second * second)
    }
}
