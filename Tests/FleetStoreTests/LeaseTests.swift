import FleetPluginAPI
import FleetStore
import Testing

@Suite struct LeaseTests {
    @Test(arguments: StoreKind.allCases)
    func givesAllResourcesOrNone(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            try await fixture.createRun("r-2")
            let lease = try await fixture.acquire("r-1", ["instance/b", "instance/a", "instance/b"])
            #expect(lease.resources == ["instance/a", "instance/b"])
            #expect(lease.expiresAt == fixture.clock.now + .seconds(30))
            #expect(try await fixture.connect().lease(of: "r-1") == lease)

            let error = await fleetError {
                _ = try await fixture.acquire("r-2", ["instance/0", "instance/b", "instance/c"], pid: 2)
            }
            #expect(error?.code == .conflict)
            #expect(error?.isRetriable == true)
            let text = error?.description ?? ""
            for part in ["instance/b", "r-1", "process 1 on db1", "\(lease.expiresAt)"] {
                #expect(text.contains(part), "\(part) in: \(text)")
            }
            #expect(try await fixture.store.lease(of: "r-2") == nil)
            let free = try await fixture.acquire("r-2", ["instance/0", "instance/c"], pid: 2)
            #expect(free.token > lease.token)

            let missing = await fleetError { _ = try await fixture.acquire("r-3") }
            #expect(missing?.code == .notFound)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func raisesTheTokenEvenAfterRelease(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            var last: Int64 = 0
            for _ in 0..<3 {
                let lease = try await fixture.acquire("r-1")
                #expect(lease.token > last)
                last = lease.token
                try await fixture.store.release(lease)
                try await fixture.store.release(lease)
            }
            #expect(try await fixture.store.lease(of: "r-1") == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func letsARunTakeItsOwnLeaseOverWhenItsOwnerIsGone(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            let first = try await fixture.acquire("r-1", pid: 1)
            let early = await fleetError { _ = try await fixture.acquire("r-1", pid: 2, dead: [3]) }
            #expect(early?.code == .conflict)

            let second = try await fixture.acquire("r-1", ["instance/orders", "instance/more"], pid: 2, dead: [1])
            #expect(second.token > first.token)
            fixture.clock.advance(.seconds(30))
            let third = try await fixture.acquire("r-1", pid: 3)
            #expect(third.token > second.token)
            try await fixture.createRun("r-2")
            _ = try await fixture.acquire("r-2", ["instance/more"], pid: 4)
            // A release that comes late takes nothing away from the successor.
            try await fixture.store.release(first)
            #expect(try await fixture.store.lease(of: "r-1") == third)
        }
    }

    /// What a killed run left half done blocks its instance until somebody resumes or aborts it.
    @Test(arguments: StoreKind.allCases)
    func keepsResourcesWithAnUnfinishedRun(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            try await fixture.createRun("r-2")
            let lease = try await fixture.acquire("r-1", pid: 1)
            fixture.clock.advance(.seconds(3600))
            for state in RunState.allCases where !state.isEnded {
                try await fixture.store.updateRun("r-1", state: state, error: nil, endedAt: nil, lease: lease)
                let error = await fleetError { _ = try await fixture.acquire("r-2", pid: 2, dead: [1]) }
                #expect(error?.code == .conflict)
                #expect(error?.isRetriable == false)
                #expect(error?.hint?.contains("fleet runs resume r-1") == true)
            }
            try await fixture.store.updateRun("r-1", state: .failed, error: nil, endedAt: nil, lease: lease)
            let successor = try await fixture.acquire("r-2", pid: 2)
            #expect(successor.resources == ["instance/orders"])
            let late = await fleetError {
                try await fixture.store.appendEvent(run: "r-1", kind: "k", message: "m", lease: lease)
            }
            #expect(late?.code == .conflict)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func leavesTheLeaseOfAnEndedRunWithItsLivingOwner(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1", state: .succeeded)
            try await fixture.createRun("r-2")
            _ = try await fixture.acquire("r-1", pid: 1)
            let error = await fleetError { _ = try await fixture.acquire("r-2", pid: 2) }
            #expect(error?.code == .conflict)
            _ = try await fixture.acquire("r-2", pid: 2, dead: [1])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func refusesEveryWriteWithAnOldLease(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let store = fixture.store
            let created = try await fixture.createRun("r-1")
            let old = try await fixture.acquire("r-1", pid: 1)
            let new = try await fixture.acquire("r-1", pid: 2, dead: [1], on: try await fixture.connect())
            var step = StepRecord.sample("r-1", 0)
            step.state = .done
            let changed = step
            fixture.clock.advance(.seconds(1))
            let draft = EventDraft(kind: "k", message: "m")

            let writes: [(String, @Sendable (Lease) async throws -> Void)] = [
                (
                    "updateRun",
                    { try await store.updateRun("r-1", state: .failed, error: nil, endedAt: nil, lease: $0) }
                ),
                ("setAttribute", { try await store.setAttribute(run: "r-1", key: "k", value: 1, lease: $0) }),
                ("updateStep", { try await store.updateStep(changed, event: draft, lease: $0) }),
                ("appendEvent", { try await store.appendEvent(run: "r-1", step: nil, event: draft, lease: $0) }),
                ("renew", { _ = try await store.renew($0, duration: .seconds(9), now: Timestamp(microseconds: 0)) }),
            ]
            for (name, write) in writes {
                let error = await fleetError { try await write(old) }
                #expect(error?.code == .conflict, "\(name)")
                #expect(error?.isRetriable == false, "\(name)")
            }
            #expect(try await store.run("r-1") == created)
            #expect(try await store.steps(of: "r-1")[0].state == .pending)
            #expect(try await store.events(of: "r-1", after: 0, limit: 9).isEmpty)

            for (_, write) in writes { try await write(new) }
            try await store.release(new)
            for (name, write) in writes {
                let error = await fleetError { try await write(new) }
                #expect(error?.code == .conflict, "\(name) after release")
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func refusesTheLeaseOfAnotherRun(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            try await fixture.createRun("r-2")
            _ = try await fixture.acquire("r-1", ["instance/a"])
            let other = try await fixture.acquire("r-2", ["instance/b"])
            let error = await fleetError {
                try await fixture.store.appendEvent(run: "r-1", kind: "k", message: "m", lease: other)
            }
            #expect(error?.code == .conflict)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func renewsEvenAnExpiredLeaseThatNobodyTook(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            let lease = try await fixture.acquire("r-1")
            fixture.clock.advance(.seconds(100))
            let renewed = try await fixture.store.renew(lease, duration: .seconds(30), now: fixture.clock.now)
            #expect(renewed.token == lease.token)
            #expect(renewed.expiresAt == fixture.clock.now + .seconds(30))
            #expect(try await fixture.store.lease(of: "r-1") == renewed)
            let error = await fleetError { _ = try await fixture.acquire("r-1", pid: 2) }
            #expect(error?.code == .conflict)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func givesAContendedResourceToExactlyOne(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let stores = [fixture.store, try await fixture.connect(), try await fixture.connect()]
            for run in 0..<9 { try await fixture.createRun("r-\(run)") }
            let winners = await withTaskGroup(of: Lease?.self) { group in
                for run in 0..<9 {
                    group.addTask {
                        try? await fixture.acquire("r-\(run)", pid: Int32(run), on: stores[run % 3])
                    }
                }
                return await group.reduce(into: []) { if let lease = $1 { $0.append(lease) } }
            }
            #expect(winners.count == 1)
        }
    }
}
