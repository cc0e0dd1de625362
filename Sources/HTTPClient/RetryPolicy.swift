import FleetPluginAPI

/// When a request is tried again: after errors that may pass and statuses that ask for it, after random pauses that
/// grow (exponential backoff with full jitter), or as long as the server asks (`Retry-After`).
public struct RetryPolicy: Sendable {
    /// How often it is tried in all.
    public var attempts: Int
    public var firstPause: Duration
    public var longestPause: Duration
    /// No further attempt begins after this time; a `Retry-After` beyond it ends the trying.
    public var budget: Duration
    var sleep: @Sendable (Duration) async throws -> Void
    var random: @Sendable (ClosedRange<Double>) -> Double

    public init(
        attempts: Int = 4, firstPause: Duration = .milliseconds(200), longestPause: Duration = .seconds(10),
        budget: Duration = .seconds(60)
    ) {
        self.attempts = attempts
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.budget = budget
        sleep = { try await Task.sleep(for: $0) }
        random = { Double.random(in: $0) }
    }

    /// Runs `attempt` until it succeeds, fails for good or may not be tried again; then its last error or result.
    public func run(_ attempt: () async throws -> HTTPResult) async throws -> HTTPResult {
        try await run(attempt) { _ in true }
    }

    /// - Parameter mayRepeat: whether it is safe to try again after that.
    func run(
        _ attempt: () async throws -> HTTPResult, mayRepeat: (Result<HTTPResult, any Error>) -> Bool
    ) async throws -> HTTPResult {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: budget)
        var number = 1
        while true {
            // Doubling more often than this is past any pause.
            var pause = min(longestPause, firstPause * (1 << min(number - 1, 20)))
            pause = .microseconds(Int64(random(0...max(0, pause.seconds)) * 1e6))
            let result: Result<HTTPResult, any Error>
            do {
                let answer = try await attempt()
                guard Self.isPassing(answer.status) else { return answer }
                if let asked = Self.retryAfter(answer.headers["retry-after"], now: .now) { pause = max(asked, .zero) }
                result = .success(answer)
            } catch let error as FleetError where error.isRetriable {
                result = .failure(error)
            }
            guard number < attempts, mayRepeat(result), clock.now.advanced(by: pause) < end else {
                return try result.get()
            }
            try await sleep(pause)
            number += 1
        }
    }

    /// Statuses that may be another one the next time.
    static func isPassing(_ status: Int) -> Bool {
        [408, 425, 429, 500, 502, 503, 504].contains(status)
    }

    /// Seconds, or a date (RFC 9110, 10.2.3); nil for what is neither.
    static func retryAfter(_ value: String?, now: Timestamp) -> Duration? {
        guard let value else { return nil }
        if let seconds = Int64(value), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
        return Timestamp(httpDate: value).map { $0 - now }
    }
}

extension HTTPSession {
    /// Sends a request until it succeeds or `policy` gives up. One whose repetition is not safe is sent again only when
    /// not a byte of it reached the server, or the answer is one of its `refusals`; one with a streamed body never is.
    ///
    /// - Parameter limit: a turn of it is taken for each attempt, and not while pausing.
    public func fetch(
        _ request: HTTPRequest, retrying policy: RetryPolicy, limit: RequestLimit? = nil
    ) async throws -> HTTPResult {
        var policy = policy
        if case .stream = request.body { policy.attempts = 1 }
        let isSafe = request.isIdempotent ?? request.method.isIdempotent
        var wasUnsent = false
        return try await policy.run {
            let transfer = try transfer(request)
            do {
                guard let limit else { return try await send(transfer).collect() }
                return try await limit.withTurn { try await send(transfer).collect() }
            } catch {
                wasUnsent = transfer.isUnsent
                throw error
            }
        } mayRepeat: { result in
            switch result {
            case .success(let answer): isSafe || request.refusals.contains(answer.status)
            case .failure: isSafe || wasUnsent
            }
        }
    }
}
