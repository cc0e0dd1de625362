import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import KubernetesWorkloads

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct PauseTests {
    @Test func everythingThatWouldBringItBackIsPausedAndPutBackAsItWas() async throws {
        try await WorkloadFixture.lend { fixture in
            let objects = try await fixture.surround()
            let before = try await fixture.snapshot(objects)
            let seen = try await fixture.scaler(options: WorkloadFixture.surroundingOptions).observe()
            for name in ["ScaledObject", "Argo CD", "Kustomization", "HelmRelease", "nightly", "HorizontalPodAuto"] {
                #expect(seen.remarks.contains { $0.contains(name) }, "\(name): \(seen.remarks)")
            }
            #expect(try await fixture.scaler(options: WorkloadFixture.surroundingOptions).obstacles() == [])
            let record = try await fixture.scaler(options: WorkloadFixture.surroundingOptions).quiesce(run: "run-1")
            #expect(record.original == 2)
            let scaled = try await fixture.annotations(of: "scaledobject/web")
            #expect(scaled.contains(#"paused-replicas":"0""#) && scaled.contains(#"keda.sh/paused":"true""#))
            #expect(try await fixture.annotations(of: "application/shop").contains(#"skip-reconcile":"true""#))
            for object in ["kustomization/shop", "helmrelease/shop", "cronjob/nightly", "cronjob/weekly"] {
                #expect(try await fixture.namespace.field(".spec.suspend", of: object) == "true", "\(object)")
            }
            try await fixture.scaler(options: WorkloadFixture.surroundingOptions).awaitGone(deadline: .seconds(60))
            try await fixture.scaler(options: WorkloadFixture.surroundingOptions).resume(record)
            try await fixture.scaler(options: WorkloadFixture.surroundingOptions).awaitReady(
                record, deadline: .seconds(60))
            let after = try await fixture.snapshot(objects)
            for object in objects { #expect(before[object] == after[object], "\(object)") }
            let copies = try await fixture.namespace.kubectl("get", "replicasets", "--output", "json")
            #expect(!copies.contains("fleet.dev"), "rollout undo would bring the record back")
        }
    }

    /// The process is killed with each of its requests in turn, when that has reached the server and before the answer
    /// has come; another one takes over.
    @Test(.timeLimit(.minutes(10))) func aCrashAtAnyRequestLosesNothing() async throws {
        try await WorkloadFixture.lend { fixture in
            let objects = try await fixture.surround()
            let before = try await fixture.snapshot(objects)
            var isUndisturbed = false
            var requests = 0
            while !isUndisturbed {
                requests += 1
                let down = try await DyingProxy.run(before: requests, fixture.namespace) { kubeconfig in
                    _ = try await fixture.scaler(options: WorkloadFixture.surroundingOptions, kubeconfig: kubeconfig)
                        .quiesce(run: "run-1")
                }
                let record = try await fixture.scaler(options: WorkloadFixture.surroundingOptions).quiesce(run: "run-1")
                try #require(record.original == 2, "after a crash at request \(requests)")
                try #require(try await fixture.namespace.field(".spec.replicas", of: "deployment/web") == "0")
                let up = try await DyingProxy.run(before: requests, fixture.namespace) { kubeconfig in
                    try await fixture.scaler(options: WorkloadFixture.surroundingOptions, kubeconfig: kubeconfig)
                        .resume(record)
                }
                try await fixture.scaler(options: WorkloadFixture.surroundingOptions).resume(record)
                let after = try await fixture.snapshot(objects)
                for object in objects { try #require(before[object] == after[object], "\(object) at \(requests)") }
                isUndisturbed = down && up
            }
            #expect(requests > 10)
        }
    }

    /// Killed after it has paused and before it has recorded; KEDA takes the copies away meanwhile.
    @Test func whatAPauseTakesAwayIsRemembered() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.installDefinitions()
            try await fixture.deploy(replicas: 2)
            try await fixture.namespace.apply(
                "---\n{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: web}, "
                    + "spec: {scaleTargetRef: {name: web}}}")
            let note =
                #"{"before":[{"path":["metadata","annotations","autoscaling.keda.sh/paused"]}],"#
                + #""holders":{"Deployment \#(fixture.namespace.name)/web":{"replicas":2,"run":"run-1"}}}"#
            try await fixture.namespace.kubectl(
                "annotate", "scaledobject/web", "fleet.dev/paused=\(note)", "autoscaling.keda.sh/paused=true")
            try await fixture.namespace.kubectl("scale", "deployment/web", "--replicas=0")
            let seen = try await fixture.scaler().observe()
            #expect(seen.remarks.contains { $0.contains("still paused by the run run-1") || $0.contains("undid") })
            let record = try await fixture.scaler().quiesce(run: "run-1")
            #expect(record.original == 2)
            try await fixture.scaler().resume(record)
            try await fixture.scaler().awaitReady(record, deadline: .seconds(60))
            #expect(try await fixture.annotations(of: "scaledobject/web").contains("fleet.dev") == false)
        }
    }

    /// Two applications of one Argo CD Application: the first that comes back must not wake what would fight for the
    /// second, and the second must not leave it asleep.
    @Test func whatTwoSharePutsTheLastOneBack() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.installDefinitions()
            let tracking = ["argocd.argoproj.io/tracking-id": "\(fixture.namespace.name)_shop:apps/Deployment:x/y"]
            for name in ["web", "worker"] { try await fixture.deploy(name, replicas: 1, annotations: tracking) }
            try await fixture.namespace.apply(
                "---\n{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: shop}, spec: {}}")
            let before = try await fixture.snapshot(["application/shop"])
            let web = try await fixture.scaler("web").quiesce(run: "run-1")
            let worker = try await fixture.scaler("worker").quiesce(run: "run-2")
            try await fixture.scaler("web").resume(web)
            #expect(try await fixture.annotations(of: "application/shop").contains("skip-reconcile"))
            try await fixture.scaler("worker").resume(worker)
            #expect(try await fixture.snapshot(["application/shop"]) == before)
        }
    }

    @Test func gitOpsThatIsElsewhereIsInTheWayUnlessSomeoneHasSeenToIt() async throws {
        try await WorkloadFixture.lend(on: .prod) { fixture in
            try await fixture.deploy(
                replicas: 1, labels: ["kustomize.toolkit.fluxcd.io/name": "shop"],
                annotations: ["argocd.argoproj.io/tracking-id": "shop:apps/Deployment:x/web"])
            let obstacles = try await fixture.scaler().obstacles()
            #expect(obstacles.contains { $0.contains("Argo CD Application argocd/shop") && $0.contains("gitOps") })
            #expect(obstacles.contains { $0.contains("Flux Kustomization") })
            try await requireError(.refused, of: "quiescing it") { _ = try await fixture.scaler().quiesce(run: "r") }
            #expect(try await fixture.namespace.field(".spec.replicas", of: "deployment/web") == "1")
            let options = WorkloadOptions(pausesGitOps: false)
            #expect(try await fixture.scaler(options: options).obstacles() == [])
        }
    }
}
