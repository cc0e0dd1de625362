import FleetPluginAPI
import KubernetesClient
import Testing

@testable import KubernetesWorkloads

@Suite struct ObjectStateTests {
    private static let backend = WorkloadReference(.deployment, namespace: "prod", name: "backend")
    private static let store = WorkloadReference(.statefulSet, namespace: "prod", name: "store")

    private func rollout(
        _ spec: JSONValue, _ status: JSONValue, of reference: WorkloadReference = backend
    ) -> WorkloadState.Rollout {
        WorkloadState(
            reference: reference, object: ["metadata": ["generation": 4], "spec": spec, "status": status]
        ).rollout
    }

    @Test func aDeploymentIsReadyWhenAllItsCopiesAreNewAndAvailable() {
        let ready: JSONValue = [
            "observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
        ]
        #expect(rollout(["replicas": 3], ready) == .complete)
        for (member, value) in [
            ("observedGeneration", 3), ("updatedReplicas", 2), ("availableReplicas", 2), ("replicas", 4),
        ] {
            guard case .object(var status) = ready else { continue }
            status[member] = .integer(Int64(value))
            guard case .underway = rollout(["replicas": 3], .object(status)) else {
                Issue.record("\(member) \(value) counts as complete")
                continue
            }
        }
        #expect(rollout(["replicas": 0], ["observedGeneration": 4]) == .complete)
        let old: JSONValue = ["observedGeneration": 4, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 3]
        #expect(rollout(["replicas": 3, "paused": true], old) == .complete)
        let failed: JSONValue = [
            "observedGeneration": 4,
            "conditions": [["type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "has timed out"]],
        ]
        #expect(rollout(["replicas": 3], failed) == .failed("has timed out"))
    }

    @Test func aStatefulSetIsReadyAsItsStrategyHasIt() {
        let updating: JSONValue = [
            "observedGeneration": 4, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a",
            "updateRevision": "b",
        ]
        let partition: JSONValue = ["rollingUpdate": ["partition": 2]]
        #expect(rollout(["replicas": 3], updating, of: Self.store) == .underway("1 of 3 copies are updated"))
        #expect(rollout(["replicas": 3, "updateStrategy": partition], updating, of: Self.store) == .complete)
        #expect(
            rollout(["replicas": 3, "updateStrategy": ["type": "OnDelete"]], updating, of: Self.store) == .complete)
        let starting: JSONValue = ["observedGeneration": 4, "replicas": 1]
        #expect(rollout(["replicas": 3], starting, of: Self.store) == .underway("1 of 3 copies are there"))
    }

    /// The field came with Kubernetes 1.23 (KEP-1847).
    @Test func volumesThatGoWithTheirCopiesKeepThemUp() {
        for (policy, deletes) in [("Delete", true), ("Retain", false)] {
            let spec: JSONValue = ["persistentVolumeClaimRetentionPolicy": ["whenScaled": .string(policy)]]
            let state = WorkloadState(reference: Self.backend, object: ["spec": spec])
            #expect(state.deletesVolumesWhenScaled == deletes)
        }
        #expect(!WorkloadState(reference: Self.backend, object: ["spec": [:]]).deletesVolumesWhenScaled)
    }

    @Test func aStragglerSaysWhereItIsAndWhatKeepsIt() throws {
        let now = try #require(Timestamp(rfc3339: "2026-01-01T10:01:00Z"))
        let pod = PodState([
            "metadata": [
                "name": "backend-1", "deletionTimestamp": "2026-01-01T10:00:20Z", "finalizers": ["a.b/c"],
            ], "spec": ["nodeName": "node-1"], "status": ["phase": "Running"],
        ])
        #expect(
            pod.straggling(now: now) == "backend-1 on node-1: should have ended 40s ago, kept by the finalizer a.b/c")
        let running = PodState(["metadata": ["name": "backend-2"], "status": ["phase": "Running"]])
        #expect(running.straggling(now: now) == "backend-2 on no node yet: Running, nobody has asked it to end")
    }

    @Test func aPodSaysWhyItIsNotReady() {
        let pod = PodState([
            "status": [
                "phase": "Running",
                "conditions": [["type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"]],
                "containerStatuses": [
                    [
                        "name": "main", "restartCount": 2,
                        "state": ["waiting": ["reason": "CrashLoopBackOff", "message": "back-off 20s"]],
                        "lastState": ["terminated": ["reason": "Error", "exitCode": 3]],
                    ], ["name": "side", "restartCount": 0, "state": ["running": [:]]],
                    ["name": "new", "state": ["waiting": ["reason": "ContainerCreating"]]],
                ],
            ]
        ])
        let expected = [
            "no node takes it: 0/1 nodes are available",
            "main: CrashLoopBackOff (back-off 20s), restarted 2 times, ended last with Error and exit code 3",
        ]
        #expect(pod.troubles == expected && pod.crashing == "main")
    }

    @Test func onlyPodsWhoseContainersHaveEndedAreOver() {
        let running: JSONValue = [["name": "c", "state": ["running": ["startedAt": "2026-01-01T10:00:00Z"]]]]
        #expect(PodState(["status": ["phase": "Failed", "reason": "Evicted"]]).isOver)
        #expect(!PodState(["status": ["phase": "Failed", "containerStatuses": running]]).isOver)
        #expect(!PodState(["status": ["phase": "Running"]]).isOver)
        #expect(!PodState(["status": [:]]).isOver)
        let ending: JSONValue = ["deletionTimestamp": "2026-01-01T10:00:00Z"]
        #expect(!PodState(["metadata": ending, "status": ["phase": "Succeeded"]]).isOver)
    }

    @Test func anUnreadableRecordIsNotTakenForNone() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let value = JSONValue.random(depth: 3, &random)
            let annotations: JSONValue = [WorkloadState.recordAnnotation: value]
            let state = WorkloadState(reference: Self.backend, object: ["metadata": ["annotations": annotations]])
            do {
                _ = try #require(try state.record)
            } catch {
                #expect((error as? FleetError)?.code == .corrupted)
            }
            _ = PodState(value)
            _ = state.rollout
        }
    }

    /// Operators are named with what stops them.
    @Test func anOwnersRefusalSaysHowToDriveIt() {
        func owner(_ version: String, _ kind: String) -> ObjectOwner {
            ObjectOwner(apiVersion: version, kind: kind, name: "pg", uid: "u", isController: true)
        }
        let texts = [
            owner("postgresql.cnpg.io/v1", "Cluster").refusal(Self.store): "cnpg.io/hibernation=on",
            owner("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster").refusal(Self.store): "spec.shutdown",
            owner("acid.zalan.do/v1", "postgresql").refusal(Self.store): "numberOfInstances",
            owner("pgv2.percona.com/v2", "PerconaPGCluster").refusal(Self.store): "spec.pause",
            owner("example.com/v1", "Shop").refusal(Self.store): "through its owner",
        ]
        for (text, part) in texts {
            #expect(text.contains("StatefulSet prod/store belongs to") && text.contains(part), "\(text)")
        }
    }

    @Test func argoTrackingIsReadInAllItsForms() throws {
        func application(_ tracking: String?, _ label: String?) -> String? {
            ArgoTracking.application(tracking, label, "argocd").map { "\($0.namespace)/\($0.name)" }
        }
        #expect(application("shop:apps/Deployment:prod/backend", nil) == "argocd/shop")
        #expect(application("team_shop:apps/Deployment:prod/backend", "other") == "team/shop")
        #expect(application(nil, "shop") == "argocd/shop")
        #expect(application(nil, nil) == nil && application(":", nil) == nil)
    }
}
