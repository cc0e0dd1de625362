import FleetPluginAPI

/// How a container of a pod is, as the pod's status has it.
struct ContainerState: Hashable {
    var restarts: Int64
    /// It has not started.
    var isWaiting: Bool
    /// It writes nothing any more.
    var isEnded: Bool

    /// - Parameter container: nil: the first.
    init(pod: JSONValue, container: String?) {
        let status = pod["status"]
        let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
        let all = lists.flatMap { status?[$0]?.array ?? [] }
        let found = all.first { container == nil || $0["name"]?.string == container }
        restarts = found?["restartCount"]?.integer ?? 0
        let state = found?["state"]
        isWaiting = state?["running"] == nil && state?["terminated"] == nil
        let phase = status?["phase"]?.string
        isEnded = state?["terminated"] != nil || phase == "Succeeded" || phase == "Failed"
    }
}
