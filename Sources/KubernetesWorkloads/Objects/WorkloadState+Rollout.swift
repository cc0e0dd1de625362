import FleetPluginAPI
import KubernetesClient

extension WorkloadState {
    /// How far it is from what was asked for.
    enum Rollout: Hashable, Sendable {
        case complete
        /// What is awaited.
        case underway(String)
        /// Its controller has given up (`ProgressDeadlineExceeded`); what it says.
        case failed(String)
    }

    /// As `kubectl rollout status` judges it.
    var rollout: Rollout {
        guard observedGeneration >= generation else { return .underway("its controller has not seen the change yet") }
        switch reference.kind {
        case .deployment: return deploymentRollout
        case .statefulSet: return statefulSetRollout
        }
    }

    private var deploymentRollout: Rollout {
        for condition in object[path: "status", "conditions"]?.array ?? []
        where condition["type"]?.string == "Progressing" && condition["reason"]?.string == "ProgressDeadlineExceeded" {
            return .failed(condition["message"]?.string ?? "its progress deadline is exceeded")
        }
        // Someone has paused it in the middle of a rollout: old and new copies belong to it then.
        if !isPaused {
            if updatedReplicas < replicas { return .underway("\(updatedReplicas) of \(replicas) copies are updated") }
            if statusReplicas > updatedReplicas {
                return .underway("\(statusReplicas - updatedReplicas) old copies are still there")
            }
        }
        if availableReplicas < replicas { return .underway("\(availableReplicas) of \(replicas) copies are available") }
        return statusReplicas == replicas ? .complete : .underway("\(statusReplicas) copies are there, not \(replicas)")
    }

    private var statefulSetRollout: Rollout {
        guard statusReplicas == replicas else {
            return .underway("\(statusReplicas) of \(replicas) copies are there")
        }
        guard readyReplicas >= replicas else { return .underway("\(readyReplicas) of \(replicas) copies are ready") }
        // With OnDelete, a person decides when copies are updated; with a partition, those below it stay as they are.
        guard object[path: "spec", "updateStrategy"]?["type"]?.string != "OnDelete" else { return .complete }
        let partition = object[path: "spec", "updateStrategy", "rollingUpdate", "partition"]?.integer ?? 0
        let awaited = max(0, replicas - Int(clamping: partition))
        let isUpdated = object[path: "status", "updateRevision"] == object[path: "status", "currentRevision"]
        if !isUpdated, updatedReplicas < awaited {
            return .underway("\(updatedReplicas) of \(awaited) copies are updated")
        }
        return .complete
    }

    /// Copies of a StatefulSet come one after the other; one that is not ready keeps all later ones away.
    var startsInOrder: Bool {
        reference.kind == .statefulSet && object[path: "spec", "podManagementPolicy"]?.string != "Parallel"
    }

    /// Whether scaling it down would delete the data of its copies.
    var deletesVolumesWhenScaled: Bool {
        object[path: "spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"]?.string == "Delete"
    }
}
