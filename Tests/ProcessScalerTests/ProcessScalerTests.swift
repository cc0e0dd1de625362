import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc
import ProcessRunner
import ProcessScaler
import Testing

@Suite struct ProcessScalerTests {
    @Test(arguments: ScalerConformance.rules)
    func conforms(_ rule: ScalerConformance.Rule) async throws {
        try await ApplicationFixture.lend { fixture in
            try await fixture.start(2)
            try await rule.check(ScalerConformance(count: 2) { try fixture.scaler() })
        }
    }

    @Test func startsAsManyAsDeclaredAndScales() async throws {
        try await ApplicationFixture.lend { fixture in
            let before = try await fixture.scaler().observe()
            #expect(
                before.desired == 0 && before.running == 0 && before.remarks.contains { $0.contains("never started") })
            #expect(try fixture.scaler().declaredCount == 3)
            try await fixture.scaler().setDesired(nil)
            try await fixture.waitFor(running: 3)
            try await fixture.scaler().setDesired(1)
            try await fixture.waitFor(running: 1)
            try await fixture.scaler().setDesired(2)
            try await fixture.waitFor(running: 2)
            try await fixture.scaler().setDesired(0)
            try await fixture.waitFor(running: 0)
            try await waitUntil("the supervisor has ended") { fixture.supervisors().isEmpty }
        }
    }

    @Test func aQuiescedApplicationIsNotScaled() async throws {
        try await ApplicationFixture.lend { fixture in
            try await fixture.start(1)
            let record = try await fixture.scaler().quiesce(run: "run-1")
            let error = await #expect(throws: FleetError.self) { try await fixture.scaler().setDesired(5) }
            #expect(error?.code == .conflict && error?.cause?.contains("run-1") == true)
            try await fixture.scaler().resume(record)
            try await fixture.waitFor(running: 1)
        }
    }

    /// An application that was down before the run is down after it.
    @Test func nothingIsBroughtBackThatWasNotThere() async throws {
        try await ApplicationFixture.lend { fixture in
            let record = try await fixture.scaler().quiesce(run: "run-1")
            #expect(record.original == 0)
            try await fixture.scaler().awaitGone(deadline: .seconds(5))
            try await fixture.scaler().resume(record)
            #expect(try await fixture.scaler().observe().desired == 0)
        }
    }

    @Test func copiesThatDieComeBack() async throws {
        try await ApplicationFixture.lend { fixture in
            try await fixture.start(2)
            let before = fixture.leaders()
            let victim = try #require(before.first)
            kill(victim.pid, SIGKILL)
            try await waitUntil("the copy is back") {
                let now = fixture.leaders()
                return now.count == 2 && !now.contains(victim)
            }
            #expect(Set(fixture.leaders()).intersection(before).count == 1)
            #expect(try await fixture.scaler().observe().remarks.contains { $0.contains("signal 9") })
        }
    }

    /// The new supervisor goes on with the copies that live, and starts no others beside them.
    @Test func copiesOutliveTheirSupervisorAndAreAdopted() async throws {
        try await ApplicationFixture.lend { fixture in
            try await fixture.start(2)
            let before = Set(fixture.leaders())
            try await fixture.killSupervisor()
            // Its last thread lets go of its lock a moment after its first one is gone.
            try await waitUntil("its supervisor is missed") {
                try await fixture.scaler().observe().remarks.contains { $0.contains("supervisor is gone") }
            }
            #expect(try await fixture.scaler().observe().running == 2)
            try await fixture.scaler().setDesired(3)
            try await fixture.waitFor(running: 3)
            #expect(before.isSubset(of: fixture.leaders()))
            let record = try await fixture.scaler().quiesce(run: "run-1")
            #expect(record.original == 3)
            try await fixture.scaler().awaitGone(deadline: .seconds(30))
            #expect(fixture.leaders().isEmpty)
        }
    }

    /// Killed at the worst moment, in the middle of taking copies down: they are still taken down.
    @Test func copiesWithoutSupervisorAreTakenDown() async throws {
        try await ApplicationFixture.lend { fixture in
            try await fixture.start(2)
            try await fixture.killSupervisor()
            let record = try await fixture.scaler().quiesce(run: "run-1")
            try? await fixture.killSupervisor()
            try await fixture.scaler().awaitGone(deadline: .seconds(30))
            #expect(fixture.processes().isEmpty)
            try await fixture.scaler().resume(record)
            try await fixture.waitFor(running: 2)
        }
    }

    /// Children in other sessions and those that ignore SIGTERM are part of the application.
    @Test func goneMeansEverythingItStarted() async throws {
        let script = "trap '' TERM; setsid sleep 1000 & sleep 1000 & while :; do wait; done"
        try await ApplicationFixture.lend(script: script, ["stopSeconds": 1]) { fixture in
            try await fixture.start(1)
            try await waitUntil("it has started its children") { fixture.processes().count == 3 }
            _ = try await fixture.scaler().quiesce(run: "run-1")
            let error = await #expect(throws: FleetError.self) {
                try await fixture.scaler().awaitGone(deadline: .milliseconds(100))
            }
            #expect(error?.code == .timedOut && error?.cause?.contains("sleep") == true)
            try await fixture.scaler().awaitGone(deadline: .seconds(30))
            #expect(fixture.processes().isEmpty)
        }
    }

    @Test func aCopyIsReadyWhenItSaysSo() async throws {
        try await ApplicationFixture.lend { fixture in
            let file = fixture.scratch.path("ready")
            var options = fixture.options
            options.values["readyFile"] = .string(file)
            let scaler = try fixture.scaler(options)
            try await scaler.setDesired(1)
            try await fixture.waitFor(running: 1)
            let record = QuiesceRecord(run: "run-1", original: 1)
            await #expect(throws: FleetError.self) { try await scaler.awaitReady(record, deadline: .milliseconds(300)) }
            try fixture.scratch.write("", to: "ready")
            try await scaler.awaitReady(record, deadline: .seconds(20))
        }
    }

    @Test func runsWhatItIsToldTo() async throws {
        let script = "echo $GREETING in $(pwd) as $(id -un); sleep 1000"
        try await ApplicationFixture.lend(script: script, ["environment": ["GREETING": "hello"]]) { fixture in
            var options = fixture.options
            let log = fixture.scratch.path("app.log")
            options.values["logFile"] = .string(log)
            options.values["workingDirectory"] = .string("/usr")
            if geteuid() == 0 { options.values["user"] = "postgres" }
            try await fixture.scaler(options).setDesired(1)
            let user = geteuid() == 0 ? "postgres" : await UserAccount.current().name
            try await waitUntil("it has spoken") {
                (try? String(contentsOfFile: log, encoding: .utf8)) == "hello in /usr as \(user)\n"
            }
        }
    }

    @Test func optionsMustNameOneKindOfApplication() throws {
        let context = PluginContext(
            name: "web", stateDirectory: "/nonexistent",
            agent: AgentInvocation(executable: "/nonexistent", configuration: "/nonexistent"),
            resolve: { _ in Secret("") })
        let wrong: [[String: JSONValue]] = [
            [:], ["command": []], ["command": ["a"], "systemdUnit": "b"],
        ]
        for values in wrong {
            let error = #expect(throws: FleetError.self) {
                try ProcessScaler(context: context, options: PluginOptions(values))
            }
            #expect(error?.code == .configuration)
        }
    }
}
