import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// The runbook, end to end, in two real clusters.
@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct KubernetesRunbookSerial {
    @Test func theRunbookIsOneCommand() async throws {
        let rollout = "{stages: [{environment: dev, soak: 2s}, {environment: prod, approval: required}]}"
        try await KubernetesFixture.lend(rollout: rollout) { fixture in
            _ = try await fixture.sql(
                "create table orders (id int primary key, at timestamptz default clock_timestamp())")
            let backup = try await fixture.fleet("backup", "orders")
            #expect(backup.exitCode == 0, "\(backup.errors)")
            _ = try await fixture.sql("insert into orders select generate_series(1, 500)")
            let target = try await fixture.now()
            // The disaster.
            _ = try await fixture.sql(
                "insert into orders select generate_series(501, 600); delete from orders where id <= 400")
            let before = try await fixture.workloads()

            let begun = try await fixture.fleet(
                "restore", "--cluster", "prod", "--target", target, "--yes", "--verbose")
            #expect(begun.exitCode == 5, "\(begun.errors)")
            // dev proves it while prod waits.
            try await fixture.dev.waitForRollout("deployment/backend")
            #expect(try await fixture.infra.field(".spec.replicas", of: "deployment/backend") == "0")
            let restored = try await fixture.fleet(
                "runs", "approve", fixture.restoreRun(), "--reason", "dev is well", "--resume", "--verbose")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await fixture.sql("select count(*), max(id), pg_is_in_recovery() from orders") == "500|500|f")
            #expect(try await fixture.workloads() == before)
            try await fixture.infra.waitForRollout("deployment/backend")
            try await fixture.dev.waitForRollout("deployment/backend")
            let jobs = try await fixture.infra.kubectl(
                "get", "jobs,secrets", "--output", "name", "--selector", "app.kubernetes.io/managed-by=fleet")
            #expect(jobs.isEmpty, "left behind: \(jobs)")

            let undone = try await fixture.fleet("runs", "undo", fixture.restoreRun(), "--yes")
            #expect(undone.exitCode == 0, "\(undone.errors)")
            #expect(try await fixture.sql("select count(*), max(id) from orders") == "200|600")
            #expect(try await fixture.workloads() == before)
        }
    }

    @Test(arguments: ["stop orders", "restore the data of orders", "start orders in recovery"])
    func aRunSurvivesItsCoordinator(_ step: String) async throws {
        try await KubernetesFixture.lend { fixture in
            let (target, before) = try await fixture.prepareDisaster()
            let killed = try await fixture.launch(
                "restore", "--cluster", "prod", "--target", target, "--yes", "--no-backup")
            _ = try await killed.reaches(step)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
            await killed.kill()
            let resumed = try await fixture.fleet("runs", "resume", fixture.restoreRun())
            #expect(resumed.exitCode == 0, "\(resumed.errors)\n\(killed.text)")
            #expect(try await fixture.sql("select count(*) from orders") == "500")
            #expect(try await fixture.workloads() == before)
        }
    }

    @Test func aCopyBesideLeavesItsSourceAlone() async throws {
        try await KubernetesFixture.lend { fixture in
            _ = try await fixture.sql("create table orders (id int primary key)")
            try await fixture.fleet("backup", "orders").checked()
            _ = try await fixture.sql("insert into orders select generate_series(1, 500)")
            let target = try await fixture.now()
            _ = try await fixture.sql("delete from orders where id > 10")
            let before = try await fixture.workloads()
            let made = try await fixture.fleet(
                "-o", "json", "restore", "--instance", "orders", "--target", target, "--into",
                "orders-copy=\(fixture.infra.name)", "--yes")
            #expect(made.exitCode == 0, "\(made.errors)")
            let copy = "orders-copy-0"
            #expect(try await fixture.infra.sql("select count(*) from orders", in: copy) == "500")
            #expect(try await fixture.infra.sql("show archive_mode", in: copy) == "off")
            #expect(try await fixture.infra.sql("show data_directory", in: copy) == "/fleet-scratch/data")
            #expect(try await fixture.sql("select count(*) from orders") == "10")
            // No Service of the source leads to the copy.
            let addresses = try await fixture.infra.field(
                ".subsets[*].addresses[*].targetRef.name", of: "endpoints/postgres")
            #expect(addresses == "postgres-0")
            let runs = try await fixture.json("runs", "list")
            let run = try #require(runs["runs"]?.array?.first { $0["kind"]?.string == "restoreInto" }?["id"]?.string)
            let undone = try await fixture.fleet("runs", "undo", run, "--yes")
            #expect(undone.exitCode == 0, "\(undone.errors)")
            let left = try await fixture.infra.kubectl(
                "get", "statefulsets,persistentvolumeclaims,jobs,secrets", "--output", "name", "--selector",
                "app.kubernetes.io/managed-by=fleet")
            #expect(left.isEmpty, "left behind: \(left)")
            #expect(try await fixture.workloads() == before)
        }
    }

    /// Somebody scales an application up while its data is away: nothing is promoted under it.
    @Test func whoScalesByHandIsNoticed() async throws {
        try await KubernetesFixture.lend { fixture in
            let (target, before) = try await fixture.prepareDisaster()
            let running = try await fixture.launch(
                "restore", "--cluster", "prod", "--target", target, "--yes", "--no-backup")
            _ = try await running.reaches("restore the data of orders")
            try await fixture.dev.kubectl("scale", "deployment/backend", "--replicas", "1")
            #expect(await running.child.wait() != 0)
            #expect(running.text.contains("backend-dev was brought up by somebody else"), "\(running.text)")
            #expect(try await fixture.sql("select pg_is_in_recovery()") == "t")

            try await fixture.dev.kubectl("scale", "deployment/backend", "--replicas", "0")
            let resumed = try await fixture.fleet("runs", "resume", fixture.restoreRun())
            #expect(resumed.exitCode == 0, "\(resumed.errors)")
            #expect(try await fixture.sql("select count(*) from orders") == "500")
            #expect(try await fixture.workloads() == before)
        }
    }

    @Test func anAPIServerThatIsAwayIsWaitedFor() async throws {
        try await KubernetesFixture.lend { fixture in
            let (target, before) = try await fixture.prepareDisaster()
            let running = try await fixture.launch(
                "restore", "--cluster", "prod", "--target", target, "--yes", "--no-backup")
            _ = try await running.reaches("stop orders")
            try await fixture.infra.cluster.withPaused(.apiserver) { try await Task.sleep(for: .seconds(60)) }
            #expect(await running.child.wait() == 0, "\(running.text)")
            #expect(try await fixture.sql("select count(*) from orders") == "500")
            #expect(try await fixture.workloads() == before)
        }
    }

    @Test(arguments: [PostgresWorkload.Kind.deployment, .podTemplate])
    func theServerMayBeAnotherWorkload(_ kind: PostgresWorkload.Kind) async throws {
        try await KubernetesFixture.lend(kind: kind) { fixture in
            let (target, before) = try await fixture.prepareDisaster()
            let restored = try await fixture.fleet(
                "restore", "--cluster", "prod", "--target", target, "--yes", "--no-backup")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await fixture.sql("select count(*), pg_is_in_recovery() from orders") == "500|f")
            #expect(try await fixture.workloads() == before)
            #expect(try await fixture.leftovers() == "")
        }
    }

    @Test func aSlowEtcdIsBorne() async throws {
        try await KubernetesFixture.lend { fixture in
            let (target, before) = try await fixture.prepareDisaster()
            let restored = try await fixture.infra.cluster.withSlow(.etcd) {
                try await fixture.fleet(
                    "restore", "--cluster", "prod", "--target", target, "--yes", "--no-backup", "--verbose")
            }
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await fixture.sql("select count(*) from orders") == "500")
            #expect(try await fixture.workloads() == before)
            #expect(try await fixture.leftovers() == "")
        }
    }

    /// What takes the restore's pod away in the middle, and leaves the Job without a word of how it ended.
    enum Loss: CaseIterable {
        /// The power of the node fails.
        case node
        /// Somebody, or the pod collector for a node that is gone, removes the pod by force.
        case pod
    }

    @Test(arguments: Loss.allCases) func aRestoreThatIsLostIsMadeAgain(_ loss: Loss) async throws {
        try await KubernetesFixture.lend { fixture in
            let (target, before) = try await fixture.prepareDisaster()
            let running = try await fixture.launch(
                "restore", "--cluster", "prod", "--target", target, "--yes", "--no-backup")
            _ = try await running.reaches("restore the data of orders")
            let pod = try await fixture.taskPod()
            switch loss {
            case .node:
                try await fixture.infra.cluster.withStopped(.node) { try await Task.sleep(for: .seconds(5)) }
            case .pod:
                try await fixture.infra.kubectl("delete", pod, "--force", "--grace-period=0")
            }
            if await running.child.wait() != 0 {
                let resumed = try await fixture.fleet("runs", "resume", fixture.restoreRun())
                #expect(resumed.exitCode == 0, "\(resumed.errors)\n\(running.text)")
            }
            #expect(try await fixture.sql("select count(*), pg_is_in_recovery() from orders") == "500|f")
            #expect(try await fixture.workloads() == before)
            #expect(try await fixture.leftovers() == "")
        }
    }
}
