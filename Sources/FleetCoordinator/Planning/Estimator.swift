import FleetPluginAPI
import FleetStore

/// Says how long a restore will take, from how long the earlier ones took.
struct Estimator: Sendable {
    let store: any StateStore

    /// Bytes per second assumed where nothing is known: a modest disk, and replay on one core.
    private static let assumedRestore = 100e6
    private static let assumedReplay = 50e6

    func estimate(_ instance: String, _ target: ResolvedTarget) async throws -> Plan.Estimate {
        let restore = try await rate("restore", instance)
        let replay = try await rate("replay", instance)
        let walBytes = Double(max(0, (target.stopLSN ?? target.backup.stopLSN) - target.backup.startLSN))
        let seconds =
            Double(target.backup.size) / (restore ?? Self.assumedRestore)
            + walBytes / (replay ?? Self.assumedReplay) + 5
        let basis =
            restore == nil
            ? "assuming 100 MB/s, as nothing was restored here yet" : "from earlier restores of \(instance)"
        return Plan.Estimate(duration: .seconds(seconds.rounded()), basis: basis)
    }

    /// Bytes per second over the past work that was long enough to tell anything.
    private func rate(_ kind: String, _ subject: String) async throws -> Double? {
        let past = try await store.durations(kind: kind, subject: subject).filter { $0.bytes > 0 }
        let seconds = past.reduce(0) { $0 + $1.duration.seconds }
        let bytes = past.reduce(0) { $0 + Double($1.bytes) }
        guard seconds > 0.01, bytes > 0 else { return nil }
        return bytes / seconds
    }
}
