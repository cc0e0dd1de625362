import FleetPluginAPI

/// How fast a piece of work goes, by what it has reported in the last seconds.
struct ProgressPace: Sendable {
    private var phase: String?
    private var samples: [(at: ContinuousClock.Instant, bytes: Int64)] = []

    /// What is older says nothing about now.
    private static let window = Duration.seconds(15)
    /// A rate by less than this would jump about.
    private static let shortest = Duration.seconds(1)

    mutating func add(_ progress: TaskProgress, at now: ContinuousClock.Instant) {
        if phase != progress.phase || progress.bytesDone < samples.last?.bytes ?? 0 {
            phase = progress.phase
            samples = []
        }
        samples.append((now, progress.bytesDone))
        // One that is older than the window stays, so that the window is always full.
        while samples.count > 2, now - samples[1].at > Self.window { samples.removeFirst() }
    }

    /// Bytes a second; nil while that cannot be told.
    func rate(at now: ContinuousClock.Instant) -> Double? {
        guard let first = samples.first, let last = samples.last, now - first.at >= Self.shortest,
            last.bytes > first.bytes
        else { return nil }
        // Up to now: work that stands still becomes slower.
        return Double(last.bytes - first.bytes) / (now - first.at).seconds
    }

    /// `copy 1.2 GiB of 2.3 GiB, 310 MiB/s, 4s left`
    func text(_ progress: TaskProgress, at now: ContinuousClock.Instant) -> String {
        // Work that is not counted in bytes has one to do.
        guard progress.bytesTotal != 1, progress.bytesDone > 0 || progress.bytesTotal != nil else {
            return progress.phase
        }
        var text = "\(progress.phase) \(ByteSize.text(progress.bytesDone))"
        if let total = progress.bytesTotal { text += " of \(ByteSize.text(total))" }
        guard let rate = rate(at: now), rate >= 1 else { return text }
        text += ", \(ByteSize.text(Int64(rate)))/s"
        guard let total = progress.bytesTotal, total > progress.bytesDone else { return text }
        let left = Double(total - progress.bytesDone) / rate
        return left < 100 * 86_400 ? text + ", \(Ages.rough(.seconds(max(1, left.rounded(.up))))) left" : text
    }
}
