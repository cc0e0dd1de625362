import FleetPluginAPI
import FleetTestSupport
import Glibc
import HostPlatform
import ProcessRunner
import Testing

@Suite struct HostTaskTests {
    private func task(_ key: String, _ script: String) -> TaskSpec {
        TaskSpec(key: key, purpose: key, argv: ["/bin/sh", "-c", script], volume: .nothing)
    }

    private func finish(_ fixture: HostFixture, _ key: String) async throws -> TaskObservation {
        var seen = TaskObservation.running
        try await waitUntil("the task \(key) has ended") {
            seen = try await fixture.platform().observeTask(key, of: fixture.instance)
            return seen != .running
        }
        return seen
    }

    /// Ends the task's supervisor and nothing else, once the task itself has begun.
    private func killSupervisor(_ fixture: HostFixture, _ key: String) async throws {
        try await waitUntil("the task \(key) has begun") {
            try await fixture.platform().taskOutput(key, of: fixture.instance, from: 0) == ["begun"]
        }
        let supervisor = try supervisor(fixture, key)
        try supervisor.signal(SIGKILL)
        try await supervisor.waitGone(deadline: .seconds(10))
    }

    private func folder(_ fixture: HostFixture, _ key: String) -> String { "\(fixture.state)/tasks/orders/\(key)" }

    /// The supervisor's process, by its command line.
    private func supervisor(_ fixture: HostFixture, _ key: String) throws -> ProcessIdentity {
        let path = folder(fixture, key)
        let found = ProcessTable.all().filter {
            let arguments = ProcessTable.arguments($0.pid)
            return arguments.contains("supervise-task") && arguments.last == path
        }
        return try #require(found.first.flatMap { ProcessIdentity(pid: $0.pid) })
    }

    @Test func runsAsTheOwnerInASessionOfItsOwn() async throws {
        try await HostFixture.lend { fixture in
            try await fixture.platform().launch(
                task("who", "id -un; ps -o sid= -p $$ | tr -d ' '; echo $$; pwd; echo $HOME"), for: fixture.instance)
            _ = try await finish(fixture, "who")
            let lines = try await fixture.platform().taskOutput("who", of: fixture.instance, from: 0)
            #expect(lines.count == 5 && lines[0] == fixture.server.installation.owner.name)
            #expect(lines[1] == lines[2] && lines[3] == "/")
        }
    }

    /// A coordinator that is killed between asking and being answered asks again.
    @Test func manyLaunchesStartOneTask() async throws {
        try await HostFixture.lend { fixture in
            let spec = task("race", "echo started; sleep 0.5")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await fixture.platform().launch(spec, for: fixture.instance) } }
                try await group.waitForAll()
            }
            _ = try await finish(fixture, "race")
            #expect(try await fixture.platform().taskOutput("race", of: fixture.instance, from: 0) == ["started"])
        }
    }

    /// Without its supervisor a task goes on, is still seen, and is lost when it ends: nobody knows how.
    @Test func aTaskWhoseSupervisorDiedIsLost() async throws {
        try await HostFixture.lend { fixture in
            let gate = "\(try fixture.scratch.directory("gate", mode: 0o777))/open"
            let spec = task("orphan", "echo begun; while [ ! -e \(gate) ]; do sleep 0.05; done")
            try await fixture.platform().launch(spec, for: fixture.instance)
            try await killSupervisor(fixture, "orphan")
            #expect(try await fixture.platform().observeTask("orphan", of: fixture.instance) == .running)
            // It is adopted by whoever asks for it again, not started beside itself.
            try await fixture.platform().launch(spec, for: fixture.instance)
            #expect(try await fixture.platform().taskOutput("orphan", of: fixture.instance, from: 0) == ["begun"])
            try fixture.scratch.write("", to: "gate/open")
            #expect(try await finish(fixture, "orphan") == .lost)
            // What was lost is started anew when it is asked for again.
            try await fixture.platform().launch(spec, for: fixture.instance)
            guard case .finished(let outcome) = try await finish(fixture, "orphan") else {
                Issue.record("a lost task that is launched again ends")
                return
            }
            #expect(outcome.exitStatus == 0)
            #expect(try await fixture.platform().taskOutput("orphan", of: fixture.instance, from: 0) == ["begun"])
        }
    }

    @Test func anOrphanIsCancelledWithEverythingItStarted() async throws {
        try await HostFixture.lend { fixture in
            // One ignores SIGTERM's wish to be told, one left the session.
            let spec = task("stubborn", "setsid sleep 1000 & sleep 1000 & echo begun; wait")
            try await fixture.platform().launch(spec, for: fixture.instance)
            try await killSupervisor(fixture, "stubborn")
            try await fixture.platform().cancelTask("stubborn", of: fixture.instance)
            let marker = "FLEET_TASK=\(folder(fixture, "stubborn"))"
            #expect(HostFixture.processes(withText: marker, in: "environ").isEmpty)
            #expect(try await fixture.platform().observeTask("stubborn", of: fixture.instance) == .lost)
        }
    }

    @Test func aProgramKilledByASignalHasTheShellsStatus() async throws {
        try await HostFixture.lend { fixture in
            try await fixture.platform().launch(task("killed", "kill -KILL $$"), for: fixture.instance)
            guard case .finished(let outcome) = try await finish(fixture, "killed") else {
                Issue.record("a program that was killed has ended")
                return
            }
            #expect(outcome.exitStatus == 137)
        }
    }

    /// Secrets are in the environment of the task, which only its owner and root can read, and nowhere else.
    @Test func secretsAreWrittenNowhere() async throws {
        try await HostFixture.lend { fixture in
            var spec = task("secret", #"test -n "$TOKEN" && echo it came; sleep 1000"#)
            spec.secrets = ["TOKEN": .environment("TOKEN")]
            try await fixture.platform().launch(spec, for: fixture.instance)
            try await waitUntil("the task speaks") {
                try await fixture.platform().taskOutput("secret", of: fixture.instance, from: 0) == ["it came"]
            }
            #expect(HostFixture.processes(withText: HostFixture.secret, in: "cmdline").isEmpty)
            for name in try HostFixture.listing(folder(fixture, "secret")) {
                let text = HostFixture.contents("\(folder(fixture, "secret"))/\(name)")
                #expect(!text.contains(HostFixture.secret), "\(name)")
            }
            let supervisor = try supervisor(fixture, "secret")
            #expect(!HostFixture.contents("/proc/\(supervisor.pid)/environ").contains(HostFixture.secret))
            try await fixture.platform().cancelTask("secret", of: fixture.instance)
        }
    }

    @Test func keysCannotLeadElsewhere() async throws {
        try await HostFixture.lend { fixture in
            for key in ["..", "a/b", "", ".x", "a b"] {
                await #expect(throws: FleetError.self) {
                    try await fixture.platform().launch(task(key, "true"), for: fixture.instance)
                }
            }
        }
    }

    @Test func longOutputIsFollowedInPieces() async throws {
        try await HostFixture.lend { fixture in
            let spec = task("long", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; printf end")
            let platform = try fixture.platform()
            try await platform.launch(spec, for: fixture.instance)
            var lines: [String] = []
            var hasEnded = false
            while true {
                let more = try await platform.taskOutput("long", of: fixture.instance, from: lines.count)
                lines += more
                if hasEnded, more.isEmpty { break }
                hasEnded = try await platform.observeTask("long", of: fixture.instance) != .running
            }
            #expect(lines.count == 20001 && lines[19999] == "line 19999" && lines.last == "end")
        }
    }
}
