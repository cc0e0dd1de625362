import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import KubernetesWorkloads

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct WorkloadTests {
    @Test func someoneWhoScalesItUpMeanwhileIsNoticed() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 2)
            let record = try await fixture.scaler().quiesce(run: "run-1")
            try await fixture.scaler().awaitGone(deadline: .seconds(60))
            try await fixture.namespace.kubectl("scale", "deployment/web", "--replicas=1")
            let seen = try await fixture.scaler().observe()
            #expect(seen.desired == 1 && seen.record == record)
            #expect(seen.remarks.contains { $0.contains("someone scaled") && $0.contains("to 1 while the run run-1") })
            try await requireError(.conflict, of: "waiting until it is gone") {
                try await fixture.scaler().awaitGone(deadline: .seconds(60))
            }
            #expect(try await fixture.scaler().quiesce(run: "run-1") == record)
            try await fixture.scaler().awaitGone(deadline: .seconds(60))
            try await fixture.scaler().resume(record)
            #expect(try await fixture.namespace.field(".spec.replicas", of: "deployment/web") == "2")
        }
    }

    /// Each request in turn reaches the server, its answer does not come, and nothing after it gets through for a while.
    @Test(.timeLimit(.minutes(5))) func anAPIServerThatIsAwayIsWaitedFor() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            // The first requests look and change; all after them wait.
            for requests in 1...8 {
                let namespace = fixture.namespace
                _ = try await DyingProxy.run(before: requests, away: 3, namespace) { kubeconfig in
                    _ = try await fixture.scaler(kubeconfig: kubeconfig).quiesce(run: "run-1")
                }
                let record = try await fixture.scaler().quiesce(run: "run-1")
                try #require(record.original == 1, "away at request \(requests)")
                _ = try await DyingProxy.run(before: requests, away: 3, namespace) { kubeconfig in
                    try await fixture.scaler(kubeconfig: kubeconfig).awaitGone(deadline: .seconds(60))
                }
                _ = try await DyingProxy.run(before: requests, away: 3, namespace) { kubeconfig in
                    try await fixture.scaler(kubeconfig: kubeconfig).resume(record)
                    try await fixture.scaler(kubeconfig: kubeconfig).awaitReady(record, deadline: .seconds(60))
                }
                try #require(try await fixture.scaler().observe().desired == 1)
            }
        }
    }

    @Test func theAutoscalersMinimumIsKept() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            let record = try await fixture.scaler().quiesce(run: "run-1")
            try await fixture.namespace.apply(Manifest.autoscaler("web", of: "web", minimum: 3, maximum: 4))
            try await fixture.scaler().awaitGone(deadline: .seconds(60))
            try await fixture.scaler().resume(record)
            #expect(try await fixture.namespace.field(".spec.replicas", of: "deployment/web") == "3")
            try await fixture.scaler().awaitReady(record, deadline: .seconds(60))
        }
    }

    @Test func anApplicationThatWasDownStaysDown() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            try await fixture.namespace.apply(Manifest.autoscaler("web", of: "web", minimum: 2, maximum: 4))
            try await fixture.namespace.kubectl("scale", "deployment/web", "--replicas=0")
            let record = try await fixture.scaler().quiesce(run: "run-1")
            #expect(record.original == 0)
            try await fixture.scaler().awaitGone(deadline: .seconds(60))
            try await fixture.scaler().resume(record)
            try await fixture.scaler().awaitReady(record, deadline: .seconds(60))
            let seen = try await fixture.scaler().observe()
            #expect(seen.desired == 0 && seen.record == nil)
        }
    }

    @Test func whatDoesNotEndIsNamedWithItsNode() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            let pod = try #require(try await fixture.namespace.podNames("app=web").first)
            try await fixture.namespace.hold(pod)
            _ = try await fixture.scaler().quiesce(run: "run-1")
            let error = await #expect(throws: FleetError.self) {
                try await fixture.scaler().awaitGone(deadline: .seconds(8))
            }
            #expect(error?.code == .timedOut)
            let cause = error?.cause ?? ""
            #expect(cause.contains("\(pod) on \(fixture.namespace.cluster.nodeName)"), "\(cause)")
            #expect(cause.contains("fleet.test/held"), "\(cause)")
            try await fixture.namespace.release(pod)
            try await fixture.scaler().awaitGone(deadline: .seconds(30))
        }
    }

    @Test func whatDoesNotBecomeReadySaysWhy() async throws {
        try await WorkloadFixture.lend { fixture in
            let broken = { (name: String, image: String, command: String, more: String) in
                """
                ---
                {apiVersion: apps/v1, kind: Deployment, metadata: {name: \(name)}, spec: {replicas: 1, minReadySeconds: 5,
                 selector: {matchLabels: {app: \(name)}}, template: {metadata: {labels: {app: \(name)}},
                 spec: {automountServiceAccountToken: false, \(more) containers: [{name: main, image: "\(image)",
                 imagePullPolicy: Never, command: [sh, -c, "\(command)"]}]}}}}
                """
            }
            let image = fixture.namespace.bench.postgresImage
            let cases = [
                ("image", broken("image", "nowhere.invalid/none:1", "true", ""), "ErrImageNeverPull"),
                ("crash", broken("crash", image, "echo no database; exit 3", ""), "no database"),
                ("nodes", broken("nodes", image, "true", "nodeSelector: {none: such},"), "no node takes it"),
            ]
            for (name, manifest, expected) in cases {
                try await fixture.namespace.apply(manifest)
                let record = QuiesceRecord(run: "run-1", original: 1)
                let error = await #expect(throws: FleetError.self, "\(name)") {
                    try await fixture.scaler(name).awaitReady(record, deadline: .seconds(name == "crash" ? 20 : 6))
                }
                #expect(error?.code == .timedOut && error?.cause?.contains(expected) == true, "\(error as Any)")
            }
        }
    }

    @Test func whatAnOwnerWouldBringBackIsRefused() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            let owner =
                #"{"apiVersion":"postgresql.cnpg.io/v1","kind":"Cluster","name":"pg","uid":"u","controller":true}"#
            try await fixture.namespace.kubectl(
                "patch", "deployment/web", "--type=merge", "--patch",
                #"{"metadata":{"ownerReferences":[\#(owner)],"finalizers":[]}}"#)
            let obstacles = try await fixture.scaler().obstacles()
            #expect(obstacles.contains { $0.contains("cnpg.io/hibernation=on") }, "\(obstacles)")
            try await requireError(.refused, of: "quiescing it") { _ = try await fixture.scaler().quiesce(run: "r") }
        }
    }

    /// Pods of others that have its labels are not its own.
    @Test func podsOfOthersDoNotKeepIt() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            try await fixture.namespace.apply(
                """
                ---
                {apiVersion: batch/v1, kind: Job, metadata: {name: other}, spec: {template: {metadata: {labels: {app: web}},
                 spec: {restartPolicy: Never, containers: [{name: c, image: "\(fixture.namespace.bench.postgresImage)",
                 imagePullPolicy: Never, command: [sleep, "600"]}]}}}}
                """)
            try await fixture.namespace.waitUntil("the Job has a pod") {
                try await fixture.namespace.podNames("job-name=other").count == 1
            }
            let record = try await fixture.scaler().quiesce(run: "run-1")
            try await fixture.scaler().awaitGone(deadline: .seconds(60))
            try await fixture.scaler().resume(record)
        }
    }

    @Test func runningJobsOfItsCronJobsAreWaitedFor() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            try await fixture.namespace.apply(
                Manifest.cronJob(
                    "report", schedule: "0 3 * * *", command: ["sleep", "600"], bench: fixture.namespace.bench))
            try await fixture.namespace.kubectl("create", "job", "report-1", "--from=cronjob/report")
            let options = WorkloadOptions(cronJobs: ["report"])
            let record = try await fixture.scaler(options: options).quiesce(run: "run-1")
            let error = await #expect(throws: FleetError.self) {
                try await fixture.scaler(options: options).awaitGone(deadline: .seconds(8))
            }
            #expect(error?.cause?.contains("Job report-1 of the CronJob report is still running") == true)
            try await fixture.namespace.kubectl("delete", "job/report-1")
            try await fixture.scaler(options: options).awaitGone(deadline: .seconds(60))
            try await fixture.scaler(options: options).resume(record)
        }
    }
}
