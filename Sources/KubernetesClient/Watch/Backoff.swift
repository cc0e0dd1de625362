/// Pauses between attempts to reach a server again: random, growing.
struct Backoff {
    private var failures = 0
    private let first: Duration
    private let longest: Duration

    init(first: Duration = .milliseconds(200), longest: Duration = .seconds(30)) {
        self.first = first
        self.longest = longest
    }

    mutating func reset() {
        failures = 0
    }

    mutating func next() -> Duration {
        let most = min(longest, first * (1 << min(failures, 20)))
        failures += 1
        return most * Double.random(in: 0.5...1)
    }
}
