import Synchronization

/// Holds back work so that no more than so many bytes pass in a second, over all that share the limit.
final class RateLimit: Sendable {
    private let bytesPerSecond: Double
    /// When what has passed so far is paid for.
    private let paidAt = Mutex(ContinuousClock.now)

    /// - Parameter bytesPerSecond: at least 1.
    init(bytesPerSecond: Int64) {
        self.bytesPerSecond = Double(max(1, bytesPerSecond))
    }

    /// Waits until it is these bytes' turn. What was not used before is not saved up.
    func pass(_ bytes: Int64) async throws {
        let turn = paidAt.withLock { paidAt in
            let turn = max(paidAt, .now)
            paidAt = turn + .seconds(Double(bytes) / bytesPerSecond)
            return turn
        }
        try await ContinuousClock().sleep(until: turn)
    }
}
