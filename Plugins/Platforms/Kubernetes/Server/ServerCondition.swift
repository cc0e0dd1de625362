import FleetPluginAPI

/// How a server's process stands, as its pods show it.
struct ServerCondition: Sendable {
    /// `stopped` where no pod is there: what the volume holds, nobody has looked at.
    var state: ProcessObservation.State
    /// The pod that is or will be the server's.
    var pod: PodView?
    var remarks: [String] = []

    init(_ instance: KubernetesInstance, _ pods: [PodView]) {
        let alive = pods.filter { !$0.isTerminating && !$0.hasEnded }
        let ending = pods.filter { $0.isTerminating }
        pod = alive.first
        if let pod {
            let container = pod.status(instance.containerName)
            state = instance.replicas == 0 ? .stopping : container?.isReady == true ? .running : .starting
            if let waiting = container?.waiting, waiting.reason == "CrashLoopBackOff" {
                let last = container?.lastTermination.map { ": \($0.sentence)" } ?? ""
                remarks.append("the server ends again and again\(last)")
            } else if let trouble = pod.trouble {
                remarks.append("the pod \(pod.name) does not run: \(trouble)")
            }
        } else if !ending.isEmpty {
            state = instance.replicas == 0 ? .stopping : .starting
        } else {
            state = instance.replicas == 0 ? .stopped : .starting
        }
        if !ending.isEmpty {
            remarks.append("the pod \(ending.map(\.name).sorted().joined(separator: ", ")) is ending")
        }
        if alive.count > 1 {
            remarks.append("\(alive.count) pods run: \(alive.map(\.name).sorted().joined(separator: ", "))")
        }
    }
}
