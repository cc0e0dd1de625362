import FleetPluginAPI
import Glibc

extension ProcessIdentity {
    /// Ends every process of the session that this one leads or led: SIGTERM, after `grace` SIGKILL. Returns when all
    /// are gone. Cancelling the caller does not cut it short.
    ///
    /// - Throws: `timedOut` when some outlive SIGKILL (waiting for a disk), `denied`.
    public func endSession(grace: Duration) async throws {
        try await Task.detached { try await Self.end(grace: grace) { sessionMembers() } }.value
    }

    /// The same for any set of processes, looked for again until there are none.
    public static func end(grace: Duration, _ find: @escaping @Sendable () -> [ProcessIdentity]) async throws {
        var left = find()
        for (number, time) in [(SIGTERM, grace), (SIGKILL, Duration.seconds(10))] {
            let end = ContinuousClock.now + time
            var told: Set<ProcessIdentity> = []
            while !left.isEmpty {
                for member in left where told.insert(member).inserted { try member.signal(number) }
                guard ContinuousClock.now < end else { break }
                try await Task.sleep(for: .milliseconds(20))
                left = find()
            }
        }
        guard left.isEmpty else {
            throw FleetError(
                .timedOut, "processes outlive SIGKILL", cause: left.map { "process \($0.pid)" }.joined(separator: ", "),
                hint: "they wait for a disk or file system that does not answer")
        }
    }
}
