import FleetPluginAPI
import FleetStore
import Testing

@Suite struct InterruptionTests {
    @Test(arguments: StoreKind.allCases)
    func marksOnlyWhatNobodyCarriesOut(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let store = fixture.store
            try await fixture.createRun("r-leaseless")
            fixture.clock.advance(.seconds(40))
            for (pid, id) in ["r-dead", "r-alive", "r-waiting", "r-done"].enumerated() {
                try await fixture.createRun(id)
                _ = try await fixture.acquire(id, [id], pid: Int32(pid))
            }
            try await store.updateRun("r-dead", state: .aborting, error: nil, endedAt: nil, lease: nil)
            try await store.updateRun("r-waiting", state: .waiting, error: nil, endedAt: nil, lease: nil)
            try await store.updateRun("r-done", state: .succeeded, error: nil, endedAt: nil, lease: nil)
            fixture.clock.advance(.seconds(20))
            try await fixture.createRun("r-new")

            let marked = try await store.markInterrupted(now: fixture.clock.now) { $0.pid == 0 || $0.pid > 1 }
            #expect(marked.map(\.id) == ["r-leaseless", "r-dead"])
            #expect(marked.allSatisfy { $0.state == .interrupted })
            let event = try #require(try await store.events(of: "r-dead", after: 0, limit: 9).first)
            #expect(event.kind == "run.interrupted")
            #expect(event.details?["was"] == "aborting")
            #expect(try await store.markInterrupted(now: fixture.clock.now) { $0.pid == 0 }.isEmpty)
            #expect(try await store.lease(of: "r-dead") != nil)

            fixture.clock.advance(.seconds(10))
            let expired = try await store.markInterrupted(now: fixture.clock.now) { _ in false }
            #expect(expired.map(\.id) == ["r-alive"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func deliversRequestsToTheOwner(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let store = fixture.store
            let other = try await fixture.connect()
            try await fixture.createRun("r-1")
            #expect(try await store.pendingControl(run: "r-1") == nil)
            try await other.requestControl(run: "r-1", .pause, by: "bob")
            #expect(
                try await store.pendingControl(run: "r-1")
                    == PendingControl(request: .pause, by: "bob", at: fixture.clock.now))

            try await other.requestControl(run: "r-1", .abort, by: "carol")
            try await store.clearControl(run: "r-1", .pause)
            try await other.requestControl(run: "r-1", .pause, by: "bob")
            #expect(try await store.pendingControl(run: "r-1")?.request == .abort)
            #expect(try await store.pendingControl(run: "r-1")?.by == "carol")
            try await store.clearControl(run: "r-1", .abort)
            #expect(try await store.pendingControl(run: "r-1") == nil)

            try await store.updateRun("r-1", state: .aborted, error: nil, endedAt: nil, lease: nil)
            let ended = await fleetError { try await other.requestControl(run: "r-1", .abort, by: "bob") }
            #expect(ended?.code == .refused)
            let missing = await fleetError { try await other.requestControl(run: "r-2", .abort, by: "bob") }
            #expect(missing?.code == .notFound)
        }
    }
}
