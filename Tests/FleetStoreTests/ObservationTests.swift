import FleetPluginAPI
import FleetStore
import Testing

@Suite struct ObservationTests {
    @Test(arguments: StoreKind.allCases)
    func keepsTheNewestOfEachSubject(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let store = fixture.store
            let now = fixture.clock.now
            try await store.saveObservation(subject: "instance/orders", value: ["size": 1], at: now)
            try await store.saveObservation(subject: "instance/orders", value: ["size": 2], at: now + .seconds(1))
            // A slow collector that comes back late does not hide what is known since.
            try await store.saveObservation(subject: "instance/orders", value: ["size": 3], at: now)
            try await store.saveObservation(subject: "instance/billing", value: .null, at: now)
            try await store.saveObservation(subject: "cluster/prod", value: "up", at: now)

            let orders = Observation(subject: "instance/orders", value: ["size": 2], at: now + .seconds(1))
            #expect(try await store.observation("instance/orders") == orders)
            #expect(try await store.observation("instance/order") == nil)
            let instances = try await store.observations(prefix: "instance/")
            #expect(instances == [Observation(subject: "instance/billing", value: .null, at: now), orders])
            #expect(try await store.observations(prefix: "").count == 3)
            #expect(try await store.observations(prefix: "instance%").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func remembersTheLastTwentyDurations(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let store = fixture.store
            let now = fixture.clock.now
            for number in 0..<25 {
                try await store.recordDuration(
                    kind: "restore", subject: "instance/orders", bytes: Int64(number), duration: .milliseconds(number),
                    at: now + .seconds(number))
            }
            try await store.recordDuration(
                kind: "restore", subject: "instance/billing", bytes: 1, duration: .seconds(1), at: now)
            let durations = try await store.durations(kind: "restore", subject: "instance/orders")
            #expect(durations.map(\.bytes) == (5..<25).reversed().map(Int64.init))
            #expect(durations.first?.duration == .milliseconds(24))
            #expect(durations.first?.at == now + .seconds(24))
            #expect(try await store.durations(kind: "restore", subject: "instance/billing").count == 1)
            #expect(try await store.durations(kind: "backup", subject: "instance/orders").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func failsReadablyOnceClosed(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            #expect(try await fixture.store.schemaVersion >= 3)
            try await fixture.store.close()
            _ = await fleetError { _ = try await fixture.store.run("r-1") }
            _ = await fleetError { try await fixture.createRun("r-1") }
        }
    }
}
