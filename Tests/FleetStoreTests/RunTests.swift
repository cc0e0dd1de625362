import FleetPluginAPI
import FleetStore
import Testing

@Suite struct RunTests {
    @Test(arguments: StoreKind.allCases)
    func keepsEveryFieldOfARunAndItsSteps(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            var run = RunRecord.sample("r-1", state: .waiting)
            run.title = "Größe \u{1F418} 'quoted'"
            run.plan = "{ \"b\":1,  \"a\" : 18446744073709551615 }\n"
            run.endedAt = Timestamp(microseconds: -1)
            run.error = FleetError(.checkFailed, "no", cause: "why", hint: "what", retriable: true)
            run.undoes = "r-0"
            run.attributes = [
                "approval": ["by": "bob", "n": 9_223_372_036_854_775_807], "list": [.null, true, .number(1.5)],
            ]
            var step = StepRecord.sample("r-1", 0)
            step.state = .compensated
            step.attempts = 3
            step.startedAt = run.createdAt
            step.endedAt = run.createdAt + .microseconds(1)
            step.output = "text alone"
            step.error = FleetError(.timedOut, "late")
            try await fixture.store.createRun(run, steps: [step, .sample("r-1", 1)])

            let other = try await fixture.connect()
            #expect(try await other.run("r-1") == run)
            #expect(try await other.steps(of: "r-1") == [step, .sample("r-1", 1)])
            #expect(try await other.run("r-2") == nil)
            #expect(try await other.steps(of: "r-2").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func keepsWhatFollowsANUL(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            var run = RunRecord.sample("r-1")
            run.title = "a\0b"
            try await fixture.store.createRun(run, steps: [])
            #expect(try await fixture.store.run("r-1")?.title == "a\u{FFFD}b")
            let event = try await fixture.store.appendEvent(run: "r-1", kind: "k", message: "tool said \0!", lease: nil)
            #expect(try await fixture.store.events(of: "r-1", after: 0, limit: 1) == [event])
            #expect(event.message == "tool said \u{FFFD}!")
            let entry = try await fixture.store.audit(actor: "a\0", action: "b", subject: "\0", details: ["c": "\0d"])
            #expect(try await fixture.store.auditEntries(after: 0, limit: 1) == [entry])
            #expect(try await fixture.store.verifyAudit() == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func createsARunWithAllItsStepsOrNotAtAll(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let steps = [StepRecord.sample("r-1", 0, id: "same"), .sample("r-1", 1, id: "same")]
            await #expect(throws: FleetError.self) { try await fixture.store.createRun(.sample("r-1"), steps: steps) }
            #expect(try await fixture.store.run("r-1") == nil)

            let foreign = [StepRecord.sample("r-2", 0)]
            await #expect(throws: FleetError.self) { try await fixture.store.createRun(.sample("r-1"), steps: foreign) }

            try await fixture.createRun("r-1")
            let error = await fleetError { try await fixture.createRun("r-1", steps: 1) }
            #expect(error?.code == .alreadyExists)
            #expect(try await fixture.store.steps(of: "r-1").count == 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func listsNewestFirst(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            for (id, state) in [("r-b", RunState.failed), ("r-a", .running), ("r-c", .waiting), ("x%", .succeeded)] {
                try await fixture.createRun(id, state: state)
                fixture.clock.advance(.seconds(1))
            }
            let store = fixture.store
            #expect(try await store.runs(states: nil, limit: 10).map(\.id) == ["x%", "r-c", "r-a", "r-b"])
            #expect(try await store.runs(states: nil, limit: 2).map(\.id) == ["x%", "r-c"])
            #expect(try await store.runs(states: [.failed, .waiting], limit: 9).map(\.id) == ["r-c", "r-b"])
            #expect(try await store.runs(states: [], limit: 9).isEmpty)
            #expect(try await store.runs(states: nil, limit: 0).isEmpty)
            #expect(try await store.runs(idPrefix: "r-").map(\.id) == ["r-c", "r-a", "r-b"])
            #expect(try await store.runs(idPrefix: "r-a").map(\.id) == ["r-a"])
            #expect(try await store.runs(idPrefix: "%").isEmpty)
            #expect(try await store.runs(idPrefix: "_").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func updatesStateErrorAndEndExactlyAsGiven(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let created = try await fixture.createRun("r-1")
            fixture.clock.advance(.seconds(5))
            let error = FleetError(.unavailable, "gone")
            try await fixture.store.updateRun(
                "r-1", state: .failed, error: error, endedAt: fixture.clock.now, lease: nil)
            var run = try #require(try await fixture.store.run("r-1"))
            #expect(run.state == .failed && run.error == error && run.endedAt == fixture.clock.now)
            #expect(run.updatedAt == created.updatedAt + .seconds(5))

            try await fixture.store.updateRun("r-1", state: .running, error: nil, endedAt: nil, lease: nil)
            run = try #require(try await fixture.store.run("r-1"))
            #expect(run.state == .running && run.error == nil && run.endedAt == nil)

            let missing = await fleetError {
                try await fixture.store.updateRun("r-2", state: .failed, error: nil, endedAt: nil, lease: nil)
            }
            #expect(missing?.code == .notFound)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func losesNoAttributeThatTwoWritersSet(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1")
            let stores = [fixture.store, try await fixture.connect()]
            try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        try await stores[number % 2].setAttribute(
                            run: "r-1", key: "k\(number)", value: .integer(Int64(number)), lease: nil)
                    }
                }
                try await group.waitForAll()
            }
            let attributes = try #require(try await fixture.store.run("r-1")).attributes
            #expect(attributes.count == 20)
            #expect(attributes["k7"] == 7)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func isUndoneByOneRunOnly(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            try await fixture.createRun("r-1", state: .succeeded)
            try await fixture.store.markUndone("r-1", by: "r-2")
            try await fixture.store.markUndone("r-1", by: "r-2")
            let error = await fleetError { try await fixture.store.markUndone("r-1", by: "r-3") }
            #expect(error?.code == .conflict)
            #expect(try await fixture.store.run("r-1")?.undoneBy == "r-2")
        }
    }

    @Test func idsSortByTimeAndCanBeTyped() throws {
        let time = try #require(Timestamp(rfc3339: "2025-12-18T10:30:00.9Z"))
        #expect(RunID.make(now: time, random: 0) == "r-20251218-103000-0000")
        #expect(RunID.make(now: time, random: .max) == "r-20251218-103000-zzzz")
        #expect(RunID.make(now: time, random: 0b00011_00010_00001) == "r-20251218-103000-1230")
        #expect(RunID.make(now: time, random: .max) < RunID.make(now: time + .seconds(1), random: 0))
    }
}
