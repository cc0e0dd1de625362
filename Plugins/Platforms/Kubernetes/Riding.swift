import FleetPluginAPI

/// How long an API server may be away before work that waits for it is given up.
let outagePatience = Duration.seconds(120)

/// Does what may be repeated, again while the API server is away.
///
/// - Throws: what `work` throws, `unavailable` and `timedOut` only after two minutes of nothing else.
func riding<Result>(_ work: () async throws -> Result) async throws -> Result {
    let end = ContinuousClock.now + outagePatience
    var pause = Duration.milliseconds(250)
    while true {
        do {
            return try await work()
        } catch let error as FleetError
            where (error.code == .unavailable || error.code == .timedOut) && ContinuousClock.now < end
        {
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }
}
