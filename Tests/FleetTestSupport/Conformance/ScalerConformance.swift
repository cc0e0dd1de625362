public import FleetPluginAPI

/// What every scaler must do. A suite checks each rule with a subject of its own.
///
/// The subject's application runs `count` copies, all ready, and belongs to the test alone.
public struct ScalerConformance: Sendable {
    /// Makes a scaler object as a coordinator does when it starts: called again wherever a crash is simulated.
    public var makeScaler: @Sendable () throws -> any Scaler
    /// At least 1.
    public var count: Int

    public init(count: Int, makeScaler: @escaping @Sendable () throws -> any Scaler) {
        self.count = count
        self.makeScaler = makeScaler
    }

    public struct Rule: Sendable, CustomStringConvertible {
        public let description: String
        public var check: @Sendable (ScalerConformance) async throws -> Void
    }

    public static let rules: [Rule] = [
        Rule(description: "what is quiesced comes back as it was") { try await $0.checkRoundTrip() },
        Rule(description: "a record survives and is never overwritten") { try await $0.checkRecord() },
        Rule(description: "an application that is down stays down") { try await $0.checkDown() },
    ]

    func checkRoundTrip() async throws {
        let before = try await makeScaler().observe()
        try require(before.desired == count && before.running == count, "\(count) copies run at first, not \(before)")
        try require(before.record == nil, "there is no record at first")
        let record = try await makeScaler().quiesce(run: "run-1")
        try require(record.run == "run-1" && record.original == count, "the record says what was so: \(record)")
        try await makeScaler().awaitGone(deadline: .seconds(60))
        let down = try await makeScaler().observe()
        try require(down.desired == 0 && down.running == 0 && down.ready == 0, "nothing is left: \(down)")
        try require(down.record == record, "the record can be read")
        try await makeScaler().awaitGone(deadline: .zero)
        try await makeScaler().resume(record)
        try await makeScaler().awaitReady(record, deadline: .seconds(60))
        let after = try await makeScaler().observe()
        try require(after.desired == count && after.running == count && after.ready == count, "all are back: \(after)")
        try require(after.record == nil, "the record is gone")
        try await makeScaler().resume(record)
        try require(try await makeScaler().observe().desired == count, "a repeated resume changes nothing")
    }

    /// Whatever crashes between: the first record is the true one.
    func checkRecord() async throws {
        let record = try await makeScaler().quiesce(run: "run-1")
        try require(try await makeScaler().quiesce(run: "run-1") == record, "a repeated quiesce finds the record")
        try await makeScaler().awaitGone(deadline: .seconds(60))
        try require(try await makeScaler().quiesce(run: "run-1") == record, "even when nothing runs any more")
        try await requireError(.conflict, of: "quiescing for another run") {
            _ = try await makeScaler().quiesce(run: "run-2")
        }
        var foreign = record
        foreign.run = "run-2"
        try await requireError(.conflict, of: "resuming another run's record") {
            try await makeScaler().resume(foreign)
        }
        try require(try await makeScaler().observe().record == record, "it is still there")
        try require(try await makeScaler().observe().running == 0, "and nothing came back")
        try await makeScaler().resume(record)
        try await makeScaler().awaitReady(record, deadline: .seconds(60))
        let second = try await makeScaler().quiesce(run: "run-2")
        try require(second.original == count, "the next run finds what was brought back")
        try await makeScaler().resume(second)
        try await makeScaler().awaitReady(second, deadline: .seconds(60))
    }

    func checkDown() async throws {
        let first = try await makeScaler().quiesce(run: "run-1")
        try await makeScaler().awaitGone(deadline: .seconds(60))
        try await requireError(.timedOut, of: "waiting for copies that nobody brings back") {
            try await makeScaler().awaitReady(first, deadline: .milliseconds(300))
        }
        try await makeScaler().resume(first)
        try await makeScaler().awaitReady(first, deadline: .seconds(60))
        try await requireError(.timedOut, of: "waiting until a running application is gone") {
            try await makeScaler().awaitGone(deadline: .milliseconds(300))
        }
    }
}
