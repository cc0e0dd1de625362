import FleetPluginAPI
import KubernetesClient

/// What is of interest of a pod.
struct PodState: Hashable, Sendable {
    var name: String
    var labels: [String: String]
    var owner: ObjectOwner?
    var node: String?
    var phase: String
    var isReady: Bool
    /// Since when it is being deleted.
    var terminating: Timestamp?
    var finalizers: [String]
    /// Whether a container of it may run.
    var isOver: Bool
    /// Why it does not become ready, in the server's words; empty when nothing is known.
    var troubles: [String]
    /// A container that ended and is started again and again.
    var crashing: String?

    init(_ pod: JSONValue) {
        name = pod.objectName ?? ""
        labels = pod.labels
        owner = ObjectOwner.controller(of: pod)
        node = pod[path: "spec", "nodeName"]?.string
        phase = pod[path: "status", "phase"]?.string ?? "Unknown"
        let conditions = pod[path: "status", "conditions"]?.array ?? []
        isReady = conditions.contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
        terminating = pod[path: "metadata", "deletionTimestamp"]?.string.flatMap { Timestamp(rfc3339: $0) }
        if terminating == nil, pod.isTerminating { terminating = .now }
        finalizers = (pod[path: "metadata", "finalizers"]?.array ?? []).compactMap(\.string)
        let containers = Self.containers(pod)
        // A pod that was evicted is Failed before its containers have ended.
        isOver =
            ["Succeeded", "Failed"].contains(phase) && terminating == nil
            && !containers.contains { $0[path: "state", "running"] != nil }
        troubles = Self.troubles(conditions, containers)
        crashing = containers.first { ($0["restartCount"]?.integer ?? 0) > 0 }?["name"]?.string
    }

    private static func containers(_ pod: JSONValue) -> [JSONValue] {
        ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"].flatMap {
            pod[path: "status", $0]?.array ?? []
        }
    }

    private static func troubles(_ conditions: [JSONValue], _ containers: [JSONValue]) -> [String] {
        var troubles: [String] = []
        for condition in conditions
        where condition["type"]?.string == "PodScheduled" && condition["status"]?.string == "False" {
            troubles.append("no node takes it: " + (condition["message"]?.string ?? "no reason is given"))
        }
        return troubles + containers.compactMap(Self.trouble)
    }

    private static func trouble(_ container: JSONValue) -> String? {
        var parts: [String] = []
        let waiting = container[path: "state", "waiting"]
        if let reason = waiting?["reason"]?.string, !["ContainerCreating", "PodInitializing"].contains(reason) {
            parts.append(reason + (waiting?["message"]?.string.map { " (\($0))" } ?? ""))
        }
        if let restarts = container["restartCount"]?.integer, restarts > 0 {
            parts.append("restarted \(restarts) times")
        }
        if let ended = container[path: "lastState", "terminated"] ?? container[path: "state", "terminated"],
            ended["reason"]?.string != "Completed" || !parts.isEmpty
        {
            var text = "ended last with " + (ended["reason"]?.string ?? "no reason")
            if let code = ended["exitCode"]?.integer { text += " and exit code \(code)" }
            if let message = ended["message"]?.string { text += ", saying “\(message)”" }
            parts.append(text)
        }
        guard !parts.isEmpty else { return nil }
        return (container["name"]?.string ?? "a container") + ": " + parts.joined(separator: ", ")
    }

}

extension PodState {
    /// `backend-7d9-x2x on node-1: terminating for 40s, kept by the finalizer a.b/c`
    func straggling(now: Timestamp) -> String {
        var text = "\(name) on \(node ?? "no node yet"): "
        guard let terminating else {
            return text + "\(phase), nobody has asked it to end"
        }
        // The stamp is the moment by which it should be gone.
        let over = now - terminating
        if over > .zero {
            text += "should have ended \(DurationText.text(over)) ago"
            text += finalizers.isEmpty ? ", and its node has not confirmed it" : ""
        } else {
            text += "ending, has \(DurationText.text(.zero - over)) left"
        }
        if !finalizers.isEmpty { text += ", kept by the finalizer \(finalizers.joined(separator: ", "))" }
        return text
    }
}
