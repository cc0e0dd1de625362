import FleetPluginAPI

/// Rides out an API server that is away for a while.
struct Patience: Sendable {
    /// So long nothing may succeed before it is given up.
    static let limit: Duration = .seconds(120)

    private var away: ContinuousClock.Instant?
    private var pause: Duration = .milliseconds(200)

    /// Runs an act until it succeeds, fails for good, or the server has been away too long. It must be one that may be
    /// repeated: a read, or a change that begins with looking whether it is made already.
    static func ride<Value>(_ act: () async throws -> Value) async throws -> Value {
        var patience = Patience()
        while true {
            do {
                return try await act()
            } catch let error as FleetError {
                try await patience.bear(error)
            }
        }
    }

    /// Waits for a while after an error that may pass.
    ///
    /// - Throws: the error itself, when it will not pass or it has taken too long.
    mutating func bear(_ error: FleetError) async throws {
        guard error.isRetriable else { throw error }
        let since = away ?? .now
        away = since
        guard ContinuousClock.now - since < Self.limit else {
            var error = error
            error.hint = "the API server has been away for \(DurationText.text(Self.limit)); go on when it is back"
            throw error
        }
        // At random, so that thousands do not come back in the same moment.
        try await Task.sleep(for: pause * Double.random(in: 0.5...1))
        pause = min(pause * 2, .seconds(5))
    }

    /// Something succeeded.
    mutating func relax() {
        away = nil
        pause = .milliseconds(200)
    }
}
