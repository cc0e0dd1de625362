public import FleetPluginAPI
import FleetStore

/// How far a member's clock was ahead of fleet's at some time, by the best sample there is.
public struct ClockOffset: Hashable, Sendable, Codable {
    /// Microseconds.
    public var ahead: Int64
    /// How wrong that may be, in microseconds: half of what the sample leaves open, what clocks drift from then to the
    /// time, and what commit times are out of order.
    public var residual: Int64
    public var sampledAt: Timestamp

    public init(ahead: Int64, residual: Int64, sampledAt: Timestamp) {
        self.ahead = ahead
        self.residual = residual
        self.sampledAt = sampledAt
    }
}

/// Samples of members' clocks, of every mark and of now.
struct ClockOffsets: Sendable {
    private var samples: [String: [Sample]] = [:]

    private struct Sample {
        var at: Timestamp
        var interval: MarkRecord.ClosedInterval

        /// What the clock may have been ahead at another time.
        func widened(to time: Timestamp) -> MarkRecord.ClosedInterval {
            let drift = ClockOffsets.drift(between: at, time)
            return .init(lower: interval.lower - drift, upper: interval.upper + drift)
        }
    }

    /// Two clocks that nobody keeps may part by so much: 200 µs in a second.
    private static let driftPerMillion: Int64 = 200
    /// A commit's time is taken before its place in WAL (trials: up to 0.5 ms).
    private static let disorder: Int64 = 500

    private static func drift(between one: Timestamp, _ other: Timestamp) -> Int64 {
        let span = abs(one.microseconds - other.microseconds)
        return span / 1_000_000 * driftPerMillion + span % 1_000_000 * driftPerMillion / 1_000_000
    }

    init(_ marks: [MarkRecord]) {
        for mark in marks {
            for member in mark.members {
                guard let interval = member.clockAhead else { continue }
                add(member.instance, interval, at: mark.createdAt)
            }
        }
    }

    mutating func add(_ member: String, _ interval: MarkRecord.ClosedInterval, at time: Timestamp) {
        samples[member, default: []].append(Sample(at: time, interval: interval))
    }

    /// - Throws: `refused` where nothing is known of a member's clock, or where it was set between the samples around
    ///   the time.
    func offset(of member: String, at time: Timestamp) throws -> ClockOffset {
        let known = samples[member] ?? []
        let before = known.filter { $0.at <= time }.max { $0.at < $1.at }
        let after = known.filter { $0.at > time }.min { $0.at < $1.at }
        guard let best = [before, after].compactMap({ $0 }).min(by: { width($0, time) < width($1, time) }) else {
            throw FleetError(
                .refused, "nothing is known of the clock of \(member)",
                hint: "its clock is looked at with each mark, and while its server runs")
        }
        if let before, let after {
            let (first, second) = (before.widened(to: time), after.widened(to: time))
            guard first.lower <= second.upper, second.lower <= first.upper else {
                throw FleetError(
                    .refused, "the clock of \(member) was set between \(before.at) and \(after.at)",
                    cause: "it was \(before.interval.lower) µs ahead of fleet's, and then \(after.interval.lower) µs",
                    hint: "a time between them means two moments: choose another one, or a mark")
            }
        }
        let interval = best.widened(to: time)
        return ClockOffset(
            ahead: (best.interval.lower + best.interval.upper) / 2,
            residual: (interval.upper - interval.lower) / 2 + Self.disorder, sampledAt: best.at)
    }

    private func width(_ sample: Sample, _ time: Timestamp) -> Int64 {
        let interval = sample.widened(to: time)
        return interval.upper - interval.lower
    }
}
