import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import KubernetesPlatform

@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct TaskTests {
    @Test func anotherCoordinatorAdoptsATask() async throws {
        try await PlatformFixture.lend { fixture in
            let first = try fixture.platform(state: "first")
            let task = fixture.task("adopted", "echo begun; sleep 4; echo ended")
            try await first.launch(task, for: fixture.instance)
            // Another machine: none of the first one's files.
            let second = try fixture.platform(state: "second")
            #expect(try await second.observeTask("adopted", of: fixture.instance) == .running)
            try await second.launch(task, for: fixture.instance)
            #expect(try await fixture.finish("adopted", second).exitStatus == 0)
            #expect(try await second.taskOutput("adopted", of: fixture.instance, from: 0) == ["begun", "ended"])
            let jobs = try await fixture.namespace.kubectl("get", "jobs", "--output", "name")
            #expect(jobs.split(separator: "\n").count == 1)
            try await second.forgetTask("adopted", of: fixture.instance)
            #expect(try await second.observeTask("adopted", of: fixture.instance) == .absent)
            // The first one kept that it had launched it, and how it ended nobody can tell any more.
            #expect(try await fixture.platform(state: "first").observeTask("adopted", of: fixture.instance) == .lost)
        }
    }

    @Test func noLineIsLostOrRepeated() async throws {
        try await PlatformFixture.lend { fixture in
            let count = 20_000
            let script = "i=0; while [ $i -lt \(count) ]; do echo line-$i; i=$((i+1)); done; echo done >&2"
            let task = fixture.task("talkative", script)
            try await fixture.platform().launch(task, for: fixture.instance)
            var lines: [String] = []
            while true {
                // A coordinator that is killed again and again.
                let platform = try fixture.platform()
                let observation = try await platform.observeTask("talkative", of: fixture.instance)
                lines += try await platform.taskOutput("talkative", of: fixture.instance, from: lines.count)
                if case .finished = observation { break }
                try #require(observation == .running)
            }
            #expect(lines.count == count)
            #expect(lines == (0..<count).map { "line-\($0)" })
            #expect(try await fixture.platform().taskErrors("talkative", of: fixture.instance) == "done")
        }
    }

    @Test func whatKilledATaskIsTold() async throws {
        try await PlatformFixture.lend { fixture in
            let limits: JSONValue = ["limits": ["memory": "40Mi"], "requests": ["memory": "40Mi"]]
            let platform = try fixture.platform(options: ["taskResources": limits])
            let hungry = fixture.task("hungry", "x=1234567890; while :; do x=$x$x; done")
            try await platform.launch(hungry, for: fixture.instance)
            #expect(try await fixture.finish("hungry", platform).exitStatus != 0)
            let said = try await platform.taskErrors("hungry", of: fixture.instance)
            #expect(said.contains("memory") || said.contains("signal 9") || said.contains("OOM"), "\(said)")

            let absent = try fixture.platform(options: ["agentImage": "fleet-test/no-such-image:1"])
            try await absent.launch(fixture.task("imageless", "true"), for: fixture.instance)
            // Nobody can pull on the bench: what is waited for does not come.
            let late = try fixture.platform(
                options: ["agentImage": "fleet-test/no-such-image:1", "taskStart": "3s"])
            #expect(try await fixture.finish("imageless", late).exitStatus == JobReading.notBegun)
            #expect(try await late.taskErrors("imageless", of: fixture.instance).contains("could not begin"))
        }
    }

    @Test func secretsAreInNoJob() async throws {
        try await PlatformFixture.lend { fixture in
            let platform = try fixture.platform()
            var task = fixture.task("quiet", #"test -n "$TOKEN"; sleep 2"#)
            task.secrets = ["TOKEN": .environment("TOKEN")]
            try await platform.launch(task, for: fixture.instance)
            let objects = try await fixture.namespace.kubectl("get", "jobs,pods,configmaps", "--output", "yaml")
            #expect(!objects.contains(PlatformFixture.secret))
            #expect(objects.contains("secretKeyRef"))
            let secret = try ObjectNames.job("quiet", of: fixture.instance)
            let owner = try await fixture.namespace.field(".metadata.ownerReferences[0].kind", of: "secret/\(secret)")
            #expect(owner == "Job")
            #expect(try await fixture.finish("quiet", platform).exitStatus == 0)
            try await platform.forgetTask("quiet", of: fixture.instance)
            let left = try await fixture.namespace.kubectl("get", "secrets", "--output", "name")
            #expect(!left.contains(secret))
        }
    }

    @Test func aTaskWantsTheVolumeAlone() async throws {
        try await PlatformFixture.lend { fixture in
            var task = fixture.task("alone", "true")
            task.volume = .alone
            let spec = task
            let error = await #expect(throws: FleetError.self) {
                try await fixture.platform().launch(spec, for: fixture.instance)
            }
            #expect(error?.code == .refused)
            #expect(error?.cause?.contains("postgres-0") == true)
        }
    }
}
