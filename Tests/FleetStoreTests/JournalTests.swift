import FleetPluginAPI
import FleetStore
import Testing

@Suite struct JournalTests {
    @Test(arguments: StoreKind.allCases)
    func writesAStepAndItsEventTogether(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            let lease = try await fixture.acquire("r-1")
            fixture.clock.advance(.seconds(1))
            var step = StepRecord.sample("r-1", 1)
            step.state = .done
            step.attempts = 1
            step.output = ["lsn": "0/3000000"]
            let event = try await fixture.store.updateStep(
                step, event: EventDraft(kind: "step.done", message: "done", details: ["n": 1]), lease: lease)
            #expect(
                event
                    == RunEvent(
                        run: "r-1", sequence: 1, time: fixture.clock.now, step: "step-1", kind: "step.done",
                        message: "done", details: ["n": 1]))
            #expect(try await fixture.store.steps(of: "r-1") == [.sample("r-1", 0), step])
            #expect(try await fixture.store.events(of: "r-1", after: 0, limit: 10) == [event])
            #expect(try await fixture.store.run("r-1")?.updatedAt == fixture.clock.now)

            let unknown = await fleetError {
                try await fixture.store.updateStep(
                    .sample("r-1", 7), event: EventDraft(kind: "x", message: "y"), lease: lease)
            }
            #expect(unknown?.code == .notFound)
            #expect(try await fixture.store.events(of: "r-1", after: 0, limit: 10) == [event])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func pagesThroughEvents(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            try await fixture.createRun("r-2")
            for number in 1...5 {
                try await fixture.store.appendEvent(run: "r-1", kind: "k", message: "\(number)", lease: nil)
                try await fixture.store.appendEvent(run: "r-2", step: "s", kind: "k", message: "other", lease: nil)
            }
            let page = try await fixture.store.events(of: "r-1", after: 2, limit: 2)
            #expect(page.map(\.sequence) == [3, 4])
            #expect(page.map(\.message) == ["3", "4"])
            #expect(try await fixture.store.events(of: "r-1", after: 5, limit: 2).isEmpty)
            #expect(try await fixture.store.events(of: "r-2", after: 4, limit: 9).map(\.step) == ["s"])
            let error = await fleetError {
                try await fixture.store.appendEvent(run: "r-3", kind: "k", message: "m", lease: nil)
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func numbersEventsOfConcurrentWritersWithoutGaps(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            let stores = [fixture.store, try await fixture.connect()]
            try await withThrowingTaskGroup { group in
                for writer in 0..<6 {
                    group.addTask {
                        for number in 0..<15 {
                            try await stores[writer % 2].appendEvent(
                                run: "r-1", step: "\(writer)", kind: "k", message: "\(number)", lease: nil)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let events = try await fixture.store.events(of: "r-1", after: 0, limit: 1000)
            #expect(events.map(\.sequence) == Array(1...90))
            for writer in 0..<6 {
                #expect(events.filter { $0.step == "\(writer)" }.map(\.message) == (0..<15).map(String.init))
            }
        }
    }

    /// A run that is being cancelled must still be able to write that it was.
    @Test(arguments: StoreKind.allCases)
    func writesFromACancelledTask(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            let store = fixture.store
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                try await store.appendEvent(run: "r-1", kind: "run.aborted", message: "cancelled", lease: nil)
            }
            task.cancel()
            _ = try await task.value
            #expect(try await store.events(of: "r-1", after: 0, limit: 9).count == 1)
        }
    }
}
