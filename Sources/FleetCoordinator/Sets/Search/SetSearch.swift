import FleetConfig
import FleetPluginAPI

/// Asks an invariant of copies that stand where it is said.
protocol CutProber: Sendable {
    func result(of invariant: Invariant, at cut: [String: CommitHistory.Position]) async throws -> DataCheckResult
}

/// Finds the latest cut at or before a time at which the invariants of a set hold.
///
/// All members are set to one time by their own clocks. An effect without its cause there is mended by taking the
/// member of the effect back, commit by commit, until it has none, and whatever follows from that in turn (the
/// propagation of a rollback: the latest cut that serves is found, as each step back is forced). Where that does not
/// help within a short reach, as after an accident that deleted causes, all members go back in time together, in
/// strides that double, and then forwards again by halves.
struct SetSearch: Sendable {
    typealias Cut = [String: CommitHistory.Position]

    /// What was found, and what it was found by.
    struct Found: Sendable {
        var cut: Cut
        var results: [DataCheckResult]
        /// The nearest later cut that was tried, and what did not hold there.
        var rejected: DataCheckResult?
        var probes: Int
    }

    private let members: [String]
    private let invariants: [Invariant]
    /// The time asked for, by each member's clock.
    private let times: [String: Timestamp]
    private let reach: Duration
    private let prober: any CutProber
    private let log: @Sendable (String) async -> Void
    private var histories: [String: CommitHistory]
    private var probes = 0
    private var rejected: DataCheckResult?

    /// Each costs the restart of a server, or its restore.
    static let limit = 200
    private static let stride = Duration.milliseconds(50)
    private static let finest = Duration.milliseconds(10)

    /// - Parameter reach: how far a member may be taken back by itself: members that are further apart belong to no one
    ///   time.
    init(
        invariants: [Invariant], reach: Duration, times: [String: Timestamp], histories: [String: CommitHistory],
        prober: any CutProber, log: @escaping @Sendable (String) async -> Void
    ) {
        members = times.keys.sorted()
        self.invariants = invariants.flatMap(\.oneWay)
        self.reach = reach
        self.times = times
        self.histories = histories
        self.prober = prober
        self.log = log
    }

    /// - Throws: `refused` where there is none, or none was found within the limit.
    mutating func run() async throws -> Found {
        var later = Duration.zero
        var stride = Self.stride
        if let found = try await attempt(.zero) { return found }
        while true {
            guard try await aligned(stride) != nil else { throw nothing("no backup of every member lies further back") }
            guard var found = try await attempt(stride) else {
                later = stride
                stride = stride * 2
                continue
            }
            var earlier = stride
            while earlier - later > Self.finest {
                let middle = (earlier + later) / 2
                if let better = try await attempt(middle) {
                    found = better
                    earlier = middle
                } else {
                    later = middle
                }
            }
            found.rejected = rejected
            found.probes = probes
            return found
        }
    }

    /// Every member at the time asked for less so much; nil where one cannot be restored to it.
    private mutating func aligned(_ back: Duration) async throws -> Cut? {
        var cut: Cut = [:]
        for member in members {
            guard let time = times[member] else { continue }
            cut[member] =
                back == .zero
                ? try await histories[member]?.position(back: 0)
                : try await histories[member]?.position(at: time - back)
            if cut[member] == nil { return nil }
        }
        return cut
    }

    private mutating func attempt(_ back: Duration) async throws -> Found? {
        guard var cut = try await aligned(back) else { return nil }
        await log(back == .zero ? "trying the time asked for" : "trying \(DurationText.text(back)) before")
        while true {
            var results: [DataCheckResult] = []
            var broken: Invariant?
            for invariant in invariants where broken == nil {
                let result = try await probe(invariant, cut)
                results.append(result)
                if !result.passed { broken = invariant }
            }
            guard let broken else {
                return Found(cut: cut, results: results, rejected: rejected, probes: probes)
            }
            await log("\(broken.name): \(results.last?.reason ?? "does not hold")")
            guard let (member, position) = try await mended(broken, cut, notBefore: back + reach) else { return nil }
            await log("\(member) goes back to \(position.lsn)\(position.time.map { ", its commit of \($0)" } ?? "")")
            cut[member] = position
        }
    }

    /// The latest place of the member with the effect at which it has no effect without a cause any more; nil where
    /// nobody can be blamed, or there is none in reach.
    private mutating func mended(
        _ invariant: Invariant, _ cut: Cut, notBefore reach: Duration
    ) async throws -> (String, CommitHistory.Position)? {
        guard case .subset(let keys, let within) = invariant.rule, keys.member != within.member,
            let present = cut[keys.member], let time = times[keys.member],
            let history = histories[keys.member]
        else { return nil }
        let member = keys.member
        var commits = history
        defer { histories[member] = commits }
        /// Whether it holds with the member there and all others where they are.
        func holds(_ position: CommitHistory.Position) async throws -> Bool {
            var other = cut
            other[member] = position
            return try await probe(invariant, other).passed
        }
        // Where it does not help in the whole reach, it is not tried commit by commit.
        guard let last = try await Self.farthest(&commits, since: time - reach), last.back > present.back else {
            return nil
        }
        guard try await holds(last) else { return nil }
        var (bad, good) = (present.back, last)
        var step = 1
        while bad + step < last.back, let next = try await commits.position(back: bad + step) {
            if try await holds(next) {
                good = next
                break
            }
            bad = next.back
            step *= 2
        }
        while good.back - bad > 1, let middle = try await commits.position(back: (good.back + bad) / 2) {
            if try await holds(middle) { good = middle } else { bad = middle.back }
        }
        return (member, good)
    }

    private static func farthest(
        _ history: inout CommitHistory, since time: Timestamp
    ) async throws -> CommitHistory.Position? {
        if let position = try await history.position(at: time) { return position }
        // The history begins within reach.
        var (low, high) = (0, 1)
        while try await history.position(back: high) != nil { (low, high) = (high, high * 2) }
        while high - low > 1 {
            let middle = (low + high) / 2
            if try await history.position(back: middle) == nil { high = middle } else { low = middle }
        }
        return try await history.position(back: low)
    }

    private mutating func probe(_ invariant: Invariant, _ cut: Cut) async throws -> DataCheckResult {
        guard probes < Self.limit else { throw nothing("after \(probes) probes") }
        probes += 1
        let result = try await prober.result(of: invariant, at: cut.filter { invariant.members.contains($0.key) })
        if !result.passed { rejected = result }
        return result
    }

    private func nothing(_ why: String) -> FleetError {
        FleetError(
            .refused, "no cut was found at which the invariants hold",
            cause: [
                why, rejected.map { "last tried: \($0.check): \($0.reason ?? "does not hold")" },
            ].compactMap { $0 }.joined(separator: "; "),
            hint: "look at what does not hold; an earlier time, or a mark, may serve")
    }
}

extension Invariant {
    /// The same in parts of which each says which member has what another one lacks.
    fileprivate var oneWay: [Invariant] {
        guard case .equal(let queries) = rule, let first = queries.first else { return [self] }
        return queries.dropFirst().flatMap { query in
            [
                Invariant(name: name, rule: .subset(first, within: query)),
                Invariant(name: name, rule: .subset(query, within: first)),
            ]
        }
    }
}
