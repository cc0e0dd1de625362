import Testing

@testable import NativeEngine

@Suite struct RateLimitTests {
    /// However many share it, and whatever the sizes: the last one goes when those before it are paid for.
    @Test func nothingPassesBeforeItsTurn() async throws {
        let limit = RateLimit(bytesPerSecond: 1000)
        let begin = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<5 { group.addTask { try await limit.pass(50) } }
            try await group.waitForAll()
        }
        #expect(ContinuousClock.now - begin >= .milliseconds(200))
    }

    @Test func aWaitEndsWithItsTask() async throws {
        let limit = RateLimit(bytesPerSecond: 1)
        try await limit.pass(1_000_000)
        let waiting = Task { try await limit.pass(1) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
