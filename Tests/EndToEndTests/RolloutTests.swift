import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// Dev proves, prod follows: restores in stages, with what must hold in between.
@Suite(.serialized) struct RolloutSerial {
    private static let applications = """
          api-dev:
            cluster: dev
            uses: [orders-dev]
            scaler: {plugin: process, command: [/bin/sleep, "1000"], count: 1, startSeconds: 0, stopSeconds: 1}
          worker-dev:
            cluster: dev
            uses: [orders-dev]
            after: [api-dev]
            scaler: {plugin: process, command: [/bin/sleep, "1000"], count: 1, startSeconds: 0, stopSeconds: 1}
          api-prod:
            cluster: prod
            uses: [orders-prod]
            probes: [{plugin: sql, instance: orders-prod, sql: "select ok from health", equals: t}]
            scaler: {plugin: process, command: [/bin/sleep, "1000"], count: 2, startSeconds: 0, stopSeconds: 1}
        """

    private static let shared = """
          web-dev:
            cluster: dev
            uses: [orders]
            scaler: {plugin: process, command: [/bin/sleep, "1000"], count: 1, startSeconds: 0, stopSeconds: 1}
          web-prod:
            cluster: prod
            uses: [orders]
            scaler: {plugin: process, command: [/bin/sleep, "1000"], count: 2, startSeconds: 0, stopSeconds: 1}
        """

    /// Servers with a table of rows and one that says whether all is well; their backups; a time; and what came later.
    private func make(
        _ scratch: ScratchDirectory, _ instances: [String], applications: String, rollout: String,
        clusters: [String: String] = [:], isWell: Bool = true
    ) async throws -> (fleet: FleetFixture, time: String) {
        let fleet = try await FleetFixture.make(
            in: scratch, instances: instances, applications: applications, further: "rollout:\n" + rollout,
            clusters: clusters)
        let names = applications.matches(of: #/(?m)^  (\S+):$/#).map { String($0.1) }
        for name in names {
            scratch.onCleanUp { _ = try? await fleet.fleet("applications", "stop", name) }
            try await fleet.fleet("applications", "start", name).checked()
        }
        for name in instances {
            try await fleet.server(name).query("create table rows (n int); create table health (ok bool)")
            try await fleet.server(name).query("insert into health values (\(isWell))")
        }
        try await fleet.fleet(["backup"] + instances).checked()
        for name in instances { try await fleet.server(name).query("insert into rows values (1)") }
        try await Task.sleep(for: .milliseconds(50))
        let time = Timestamp.now.description
        try await Task.sleep(for: .milliseconds(50))
        for name in instances {
            try await fleet.server(name).query("insert into rows values (2); update health set ok = true")
        }
        return (fleet, time)
    }

    private func rows(_ fleet: FleetFixture, _ instances: String...) async throws -> [String] {
        var all: [String] = []
        for name in instances {
            all.append(try await fleet.server(name).value("select string_agg(n::text, ' ' order by n) from rows"))
        }
        return all
    }

    private func running(_ fleet: FleetFixture, _ names: String...) async throws -> [Int64?] {
        let all = try await fleet.json("applications", "list")["applications"]?.array ?? []
        return names.map { name in
            all.first { $0["name"]?.string == name }?["scale"]?["running"]?.integer
        }
    }

    private func step(_ fleet: FleetFixture, _ run: String, _ id: String) async throws -> JSONValue? {
        try await fleet.json("runs", "show", run)["run"]?["steps"]?.array?.first { $0["id"]?.string == id }
    }

    @Test func prodFollowsDevOnceAnotherPersonHasApproved() async throws {
        try await withScratch { (scratch) async throws in
            let (fleet, time) = try await make(
                scratch, ["orders-dev", "orders-prod"], applications: Self.applications,
                rollout: """
                      stages:
                        - {environment: dev, soak: 2s}
                        - {environment: prod, approval: required, approvalBy: another}
                      parallel: 2
                    """, clusters: ["orders-dev": "dev"])
            let arguments = ["restore", "--cluster", "dev", "--cluster", "prod", "--target", time, "--no-backup"]
            let plan = try await fleet.fleet(arguments + ["--dry-run"]).checked().text
            #expect(plan.contains("after another person has approved it") && plan.contains("must stay well for 2s"))
            let begun = try await fleet.fleet(arguments + ["--yes"])
            #expect(begun.exitCode == 5, "\(begun.errors)\(begun.text)")
            let run = try await fleet.run()
            #expect(begun.text.contains("fleet runs approve \(run)"), "\(begun.text)")
            #expect(try await fleet.state(of: run) == "waiting")
            #expect(try await rows(fleet, "orders-dev") == ["1"])
            // Prod was not touched, and goes on.
            #expect(try await rows(fleet, "orders-prod") == ["1 2"])
            #expect(try await running(fleet, "api-prod", "worker-dev") == [2, 1])
            let order = [
                try await step(fleet, run, "probe:api-dev")?["endedAt"]?.string,
                try await step(fleet, run, "resume:worker-dev")?["startedAt"]?.string,
                try await step(fleet, run, "soak:dev")?["startedAt"]?.string,
            ].compactMap { $0 }
            #expect(order.count == 3 && order == order.sorted())
            // Nobody has approved it: resuming waits on.
            #expect(try await fleet.fleet("runs", "resume", run).exitCode == 5)
            let own = try await fleet.fleet("runs", "approve", run, "--reason", "I say so")
            #expect(own.exitCode == 3 && own.errors.contains("may not approve"), "\(own.errors)")
            let other = try await fleet.fleet(
                as: "ana", "runs", "approve", run, "--reason", "fine", "--plan", "0123456789")
            #expect(other.exitCode == 3 && other.errors.contains("carries out the plan"), "\(other.errors)")
            let rejected = try await fleet.fleet(as: "ana", "runs", "approve", run, "--reason", "odd", "--reject")
            #expect(rejected.exitCode == 0)
            let stopped = try await fleet.fleet("runs", "resume", run)
            #expect(stopped.exitCode == 1 && stopped.errors.contains("rejected the stage prod"), "\(stopped.errors)")
            try await fleet.fleet(as: "ana", "runs", "approve", run, "--reason", "looked again").checked()
            let done = try await fleet.fleet("runs", "resume", run)
            #expect(done.exitCode == 0, "\(done.errors)")
            #expect(try await rows(fleet, "orders-prod") == ["1"])
            #expect(try await running(fleet, "api-prod") == [2])
            let evidence = try await step(fleet, run, "approve:prod")?["output"]
            #expect(evidence?["by"]?.string?.contains("ana") == true && evidence?["reason"]?.string == "looked again")
            let audit = try await fleet.fleet("audit", "list").checked().text
            #expect(audit.contains("run.approve") && audit.contains("run.reject"))
            try await fleet.fleet("runs", "undo", run, "--yes").checked()
            #expect(try await rows(fleet, "orders-dev", "orders-prod") == ["1 2", "1 2"])
        }
    }

    @Test func whereDevIsNotWellProdIsLeftAlone() async throws {
        try await withScratch { (scratch) async throws in
            let (fleet, time) = try await make(
                scratch, ["orders-dev", "orders-prod"], applications: Self.applications,
                rollout: """
                      stages:
                        - environment: dev
                          soak: 5m
                          probes: [{plugin: sql, instance: orders-dev, sql: "select ok from health", equals: t}]
                        - {environment: prod}
                    """, clusters: ["orders-dev": "dev"], isWell: false)
            let result = try await fleet.fleet(
                "restore", "--cluster", "dev", "--cluster", "prod", "--target", time, "--yes", "--no-backup")
            #expect(result.exitCode == 1 && result.errors.contains("dev is not well"), "\(result.errors)")
            let run = try await fleet.run()
            #expect(try await rows(fleet, "orders-dev", "orders-prod") == ["1", "1 2"])
            let aborted = try await fleet.fleet("runs", "abort", run, "--yes")
            #expect(aborted.exitCode == 0, "\(aborted.errors)")
            #expect(aborted.text.contains("fleet runs undo \(run)"), "\(aborted.text)")
            #expect(try await fleet.state(of: run) == "aborted")
            // What is finished stays until somebody takes it back.
            #expect(try await rows(fleet, "orders-dev", "orders-prod") == ["1", "1 2"])
            #expect(try await running(fleet, "api-prod", "api-dev") == [2, 1])
            try await fleet.fleet("runs", "undo", run, "--yes").checked()
            #expect(try await rows(fleet, "orders-dev") == ["1 2"])
            #expect(try await fleet.timeline("orders-prod") == 1)
        }
    }

    /// The same restore in copies first; its proof is bound to the plan, and its record can be read.
    @Test func aRestoreIsRehearsedAndRecorded() async throws {
        try await withScratch { (scratch) async throws in
            let (fleet, time) = try await make(
                scratch, ["orders"], applications: Self.shared,
                rollout: "  stages: [{environment: dev}, {environment: prod}]")
            let result = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", time, "--rehearse", "--yes", "--no-backup")
            #expect(result.exitCode == 0, "\(result.errors)")
            let rehearsal = try await fleet.run("rehearsal")
            #expect(result.text.contains("rehearsed by run \(rehearsal)"), "\(result.text)")
            #expect(try await fleet.state(of: rehearsal) == "succeeded")
            #expect(try await rows(fleet, "orders") == ["1"])
            #expect(fleet.leftovers() == [])
            let run = try await fleet.run()
            let page = scratch.path("record.html")
            try await fleet.fleet("runs", "report", run, "--out", page).checked()
            let html = try String(contentsOfFile: page, encoding: .utf8)
            #expect(html.contains("<svg") && html.contains("restore the data of orders") && !html.contains("<script"))
            let markdown = try await fleet.fleet("runs", "report", run).checked().text
            #expect(markdown.contains("## Stages") && markdown.contains("Stood at, paused"))
            let lines = try await fleet.fleet("runs", "watch", run, "--events").checked().text.split(separator: "\n")
            let events = try lines.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
            #expect(events.last?["kind"]?.string == "run.succeeded")
            #expect(events.contains { $0["kind"]?.string == "step.done" && $0["step"]?.string == "restore:orders" })
        }
    }

    /// What a copy's readers must not see is hidden before they are told where it is.
    @Test func aCopyIsMasked() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await FleetFixture.make(
                in: scratch,
                checks: "[]\n    masking: [{name: mail addresses, sql: \"update people set mail = md5(mail)\"}]")
            try await fleet.server().query("create table people (mail text)")
            try await fleet.server().query("insert into people values ('ana@example.org')")
            try await fleet.fleet("backup", "orders").checked()
            for (name, arguments, isMasked) in [("masked", [String](), true), ("plain", ["--unmasked"], false)] {
                let answer = try await fleet.fleet(
                    ["-o", "json", "restore", "--instance", "orders", "--target", "latest", "--yes", "--into", name]
                        + arguments
                ).checked()
                let report = try JSONDecoder().decode(JSONValue.self, from: Data(answer.output))
                let port = try #require(report["endpoints"]?.array?.first?["port"]?.integer)
                let host = try #require(report["endpoints"]?.array?.first?["host"]?.string)
                let mail = try await fleet.server().installation.run(
                    "psql",
                    [
                        "-XqAt", "-h", host, "-p", "\(port)", "-U", "postgres", "-c", "select mail from people",
                        "postgres",
                    ]
                ).checked().text
                #expect(mail.contains("@") != isMasked, "\(mail)")
                try await fleet.fleet("runs", "undo", fleet.run("restoreInto"), "--yes").checked()
            }
            #expect(try await fleet.server().value("select mail from people") == "ana@example.org")
        }
    }

    /// One server for both: restored once, with all applications down, and dev proves it.
    @Test(arguments: [true, false]) func anInstanceThatDevAndProdShareIsRestoredOnce(_ isApproved: Bool) async throws {
        try await withScratch { (scratch) async throws in
            let (fleet, time) = try await make(
                scratch, ["orders"], applications: Self.shared,
                rollout: """
                      stages:
                        - {environment: dev, soak: 1s}
                        - {environment: prod, approval: required}
                    """)
            let running = try await fleet.launch(
                "restore", "--instance", "orders", "--target", time, "--yes", "--no-backup", "--wait")
            #expect(try await running.writes("approves prod"), "\(running.text)")
            let run = try await fleet.run()
            try await waitUntil("it waits") { try await fleet.state(of: run) == "waiting" }
            #expect(try await rows(fleet, "orders") == ["1"])
            #expect(try await self.running(fleet, "web-dev", "web-prod") == [1, 0])
            if isApproved {
                // Whoever carries it out dies; what was decided meanwhile counts.
                await running.kill()
                try await fleet.fleet("runs", "approve", run, "--reason", "dev is well").checked()
                let done = try await fleet.fleet("runs", "resume", run)
                #expect(done.exitCode == 0, "\(done.errors)")
                #expect(try await rows(fleet, "orders") == ["1"])
            } else {
                // Prod waits for it, so that nothing of it can stay.
                let aborted = try await fleet.fleet("runs", "abort", run, "--yes")
                #expect(aborted.exitCode == 0, "\(aborted.errors)")
                #expect(try await fleet.state(of: run) == "aborted")
                #expect(try await rows(fleet, "orders") == ["1 2"])
            }
            #expect(try await self.running(fleet, "web-dev", "web-prod") == [1, 2])
        }
    }
}
