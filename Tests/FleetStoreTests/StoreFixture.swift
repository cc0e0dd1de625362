import FleetPluginAPI
import FleetTestSupport
import Synchronization
import Testing

@testable import FleetStore

/// The implementations of `StateStore`: every test of the suite runs on each.
enum StoreKind: String, CaseIterable, Sendable {
    case sqlite
}

/// One state, and as many connections to it as a test wants.
struct StoreFixture: Sendable {
    let kind: StoreKind
    let clock: TestClock
    let scratch: ScratchDirectory
    /// The first connection.
    let store: any StateStore

    /// Another connection, as another process would have.
    func connect() async throws -> any StateStore {
        try await Self.connect(kind, clock, scratch)
    }

    fileprivate static func connect(
        _ kind: StoreKind, _ clock: TestClock, _ scratch: ScratchDirectory
    ) async throws -> any StateStore {
        switch kind {
        case .sqlite:
            let store = try await SQLiteStore.open(path: scratch.path("state.db"), clock: { clock.now })
            scratch.onCleanUp { try? await store.close() }
            return store
        }
    }
}

/// Lends a fresh, empty state.
func withStore(_ kind: StoreKind, _ body: (StoreFixture) async throws -> Void) async throws {
    try await withScratch { scratch in
        let clock = TestClock()
        let store = try await StoreFixture.connect(kind, clock, scratch)
        try await body(StoreFixture(kind: kind, clock: clock, scratch: scratch, store: store))
    }
}

/// A clock that goes only when told.
final class TestClock: Sendable {
    private let time = Mutex(Timestamp(microseconds: 1_766_053_800_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }
}

/// The `FleetError` that `body` throws; a test failure when it throws none.
func fleetError(
    _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> FleetError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as FleetError {
        return error
    } catch {
        Issue.record("not a FleetError: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

extension RunRecord {
    static func sample(
        _ id: String, state: RunState = .running, at time: Timestamp = TestClock().now
    ) -> RunRecord {
        RunRecord(
            id: id, kind: "restore", title: "restore orders", state: state, plan: "{}", planHash: "00",
            startedBy: "alice", createdAt: time, updatedAt: time)
    }
}

extension StepRecord {
    static func sample(_ run: String, _ index: Int, id: String? = nil) -> StepRecord {
        StepRecord(run: run, index: index, id: id ?? "step-\(index)", kind: "wait", title: "step \(index)")
    }
}

extension LeaseOwner {
    static func sample(_ pid: Int32) -> LeaseOwner {
        LeaseOwner(host: "db1", bootID: "b0", pid: pid, startTicks: UInt64.max - UInt64(pid))
    }
}

extension StoreFixture {
    @discardableResult
    func createRun(_ id: String, state: RunState = .running, steps: Int = 2) async throws -> RunRecord {
        let run = RunRecord.sample(id, state: state, at: clock.now)
        try await store.createRun(run, steps: (0..<steps).map { .sample(id, $0) })
        return run
    }

    func acquire(
        _ run: String, _ resources: [String] = ["instance/orders"], pid: Int32 = 1, dead: Set<Int32> = [],
        on store: (any StateStore)? = nil
    ) async throws -> Lease {
        try await (store ?? self.store).acquire(
            run: run, resources: resources, owner: .sample(pid), duration: .seconds(30), now: clock.now,
            isOwnerDead: { dead.contains($0.pid) })
    }
}
