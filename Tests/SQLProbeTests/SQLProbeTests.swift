import FleetPluginAPI
import SQLProbe
import Testing

@Suite struct SQLProbeTests {
    private let shop = Endpoint(host: "/tmp", port: 5432, user: "postgres")

    private func probe(_ values: [String: JSONValue]) throws -> SQLProbe {
        let context = PluginContext(
            name: "orders arrive", stateDirectory: "/nonexistent",
            agent: AgentInvocation(executable: "/nonexistent", configuration: "/nonexistent"),
            resolve: { _ in throw FleetError(.notFound, "no secrets here") })
        return try SQLProbe(context: context, options: PluginOptions(values))
    }

    private func context(_ endpoints: [String: Endpoint], _ answer: Result<DataCheckResult, FleetError>) -> ProbeContext
    {
        ProbeContext(endpoints: endpoints, servers: CheckedServers(answer: answer), deadline: .seconds(3))
    }

    private func answer(_ passed: Bool) -> Result<DataCheckResult, FleetError> {
        .success(DataCheckResult(check: "x", passed: passed, value: "7", reason: passed ? nil : "7 is less than 10"))
    }

    @Test func judgesByTheServersAnswer() async throws {
        let probe = try probe(["sql": "select 7", "atLeast": 1])
        #expect(await probe.judge(context(["shop": shop], answer(true))) == .pass("shop answers 7"))
        guard case .fail(let reason) = await probe.judge(context(["shop": shop], answer(false))) else {
            Issue.record("a check that did not pass must fail")
            return
        }
        #expect(reason.contains("less than 10"))
    }

    @Test func whatCannotBeAskedIsInconclusive() async throws {
        let down = Result<DataCheckResult, FleetError>.failure(FleetError(.unavailable, "nobody answers"))
        let probe = try probe(["sql": "select 1"])
        guard case .inconclusive = await probe.judge(context(["shop": shop], down)) else {
            Issue.record("a server that does not answer passes no judgement")
            return
        }
        guard case .inconclusive = await probe.judge(context([:], answer(true))) else {
            Issue.record("without a server there is nobody to ask")
            return
        }
        guard case .inconclusive(let reason) = await probe.judge(context(["a": shop, "b": shop], answer(true))) else {
            Issue.record("of two servers none is chosen by chance")
            return
        }
        #expect(reason.contains("a, b"))
    }

    @Test func asksTheInstanceItNames() async throws {
        let other = Endpoint(host: "/tmp", port: 5433, user: "postgres")
        let probe = try probe(["sql": "select 1", "instance": "billing", "database": "books", "equals": true])
        let servers = CheckedServers(answer: answer(true), expectedPort: 5433, expectedDatabase: "books")
        let context = ProbeContext(
            endpoints: ["shop": shop, "billing": other], servers: servers, deadline: .seconds(3))
        #expect(await probe.judge(context) == .pass("billing answers 7"))
    }

    @Test func readsExpectations() throws {
        #expect(throws: FleetError.self) { try probe(["sql": "select 1", "atLeast": 1, "equals": 2]) }
        #expect(throws: FleetError.self) { try probe(["sql": "select 1", "atMost": "many"]) }
        #expect(throws: FleetError.self) { try probe(["atLeast": 1]) }
        #expect(throws: Never.self) { try probe(["sql": "select 1", "atMost": .number(2.5)]) }
    }
}

/// Answers checks; everything else is a mistake of the probe.
private struct CheckedServers: DatabaseServers {
    var answer: Result<DataCheckResult, FleetError>
    var expectedPort = 5432
    var expectedDatabase = "postgres"

    private var uncalled: FleetError { FleetError(.protocolViolation, "a probe only checks") }

    func check(_ check: DataCheck, at endpoint: Endpoint, deadline: Duration) async throws -> DataCheckResult {
        #expect(endpoint.port == expectedPort && check.database == expectedDatabase && deadline == .seconds(3))
        return try answer.get()
    }

    func observe(_ endpoint: Endpoint, deadline: Duration) async throws -> ServerObservation { throw uncalled }
    func sessions(_ endpoint: Endpoint, deadline: Duration) async throws -> [ServerSession] { throw uncalled }
    func terminate(_ sessions: [ServerSession], at endpoint: Endpoint, deadline: Duration) async throws -> Int {
        throw uncalled
    }
    func heartbeat(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN { throw uncalled }
    func checkpoint(_ endpoint: Endpoint, deadline: Duration) async throws { throw uncalled }
    func switchWAL(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN { throw uncalled }
    func awaitArchived(_ lsn: LSN, at endpoint: Endpoint, deadline: Duration) async throws { throw uncalled }
    func createRestorePoint(_ name: String, at endpoint: Endpoint, deadline: Duration) async throws -> LSN {
        throw uncalled
    }
    func replay(_ endpoint: Endpoint, deadline: Duration) async throws -> ReplayObservation { throw uncalled }
    func promote(_ endpoint: Endpoint, deadline: Duration) async throws { throw uncalled }
    func checkStructure(_ endpoint: Endpoint, deadline: Duration) async throws -> StructureReport { throw uncalled }
    func mask(_ mask: DataMask, at endpoint: Endpoint, deadline: Duration) async throws -> Int { throw uncalled }
    func changeSettings(_ settings: [String: String?], at endpoint: Endpoint, deadline: Duration) async throws {
        throw uncalled
    }
    func fence(_ endpoint: Endpoint, database: String, deadline: Duration) async throws -> any FenceSession {
        throw uncalled
    }
    func keys(
        _ sql: String, database: String, at endpoint: Endpoint, deadline: Duration
    ) async throws -> any KeyReader { throw uncalled }
    func preparedTransactions(_ endpoint: Endpoint, deadline: Duration) async throws -> [PreparedTransaction] {
        throw uncalled
    }
    func finish(
        _ transaction: PreparedTransaction, commits: Bool, at endpoint: Endpoint, deadline: Duration
    ) async throws { throw uncalled }
    func readWAL(
        from start: LSN, timeline: TimelineID, at endpoint: Endpoint, deadline: Duration,
        _ receive: (_ position: LSN, _ bytes: [UInt8]) throws -> Void
    ) async throws { throw uncalled }
}
