import FleetPluginAPI

/// PostgreSQL servers that must not be asked.
struct NoServers: DatabaseServers {
    private func refuse() -> FleetError { FleetError(.failed, "a probe over HTTP asked a database") }

    func observe(_ endpoint: Endpoint, deadline: Duration) async throws -> ServerObservation { throw refuse() }
    func sessions(_ endpoint: Endpoint, deadline: Duration) async throws -> [ServerSession] { throw refuse() }
    func terminate(_ sessions: [ServerSession], at endpoint: Endpoint, deadline: Duration) async throws -> Int {
        throw refuse()
    }
    func heartbeat(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN { throw refuse() }
    func checkpoint(_ endpoint: Endpoint, deadline: Duration) async throws { throw refuse() }
    func switchWAL(_ endpoint: Endpoint, deadline: Duration) async throws -> LSN { throw refuse() }
    func awaitArchived(_ lsn: LSN, at endpoint: Endpoint, deadline: Duration) async throws { throw refuse() }
    func createRestorePoint(_ name: String, at endpoint: Endpoint, deadline: Duration) async throws -> LSN {
        throw refuse()
    }
    func replay(_ endpoint: Endpoint, deadline: Duration) async throws -> ReplayObservation { throw refuse() }
    func promote(_ endpoint: Endpoint, deadline: Duration) async throws { throw refuse() }
    func checkStructure(_ endpoint: Endpoint, deadline: Duration) async throws -> StructureReport { throw refuse() }
    func mask(_ mask: DataMask, at endpoint: Endpoint, deadline: Duration) async throws -> Int { throw refuse() }
    func changeSettings(_ settings: [String: String?], at endpoint: Endpoint, deadline: Duration) async throws {
        throw refuse()
    }
    func check(_ check: DataCheck, at endpoint: Endpoint, deadline: Duration) async throws -> DataCheckResult {
        throw refuse()
    }
    func fence(_ endpoint: Endpoint, database: String, deadline: Duration) async throws -> any FenceSession {
        throw refuse()
    }
    func keys(
        _ sql: String, database: String, at endpoint: Endpoint, deadline: Duration
    ) async throws -> any KeyReader { throw refuse() }
    func preparedTransactions(_ endpoint: Endpoint, deadline: Duration) async throws -> [PreparedTransaction] {
        throw refuse()
    }
    func finish(
        _ transaction: PreparedTransaction, commits: Bool, at endpoint: Endpoint, deadline: Duration
    ) async throws { throw refuse() }
    func readWAL(
        from start: LSN, timeline: TimelineID, at endpoint: Endpoint, deadline: Duration,
        _ receive: (_ position: LSN, _ bytes: [UInt8]) throws -> Void
    ) async throws { throw refuse() }
}
