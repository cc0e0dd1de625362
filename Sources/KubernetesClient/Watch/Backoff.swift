/// Pauses between attempts to reach a server again: random, growing, up to half a minute.
struct Backoff {
    private var failures = 0
    var first: Duration = .milliseconds(200)
    var longest: Duration = .seconds(30)

    mutating func reset() {
        failures = 0
    }

    mutating func next() -> Duration {
        let most = min(longest, first * (1 << min(failures, 20)))
        failures += 1
        return most * Double.random(in: 0.5...1)
    }
}
