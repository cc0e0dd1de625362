import FleetPluginAPI
import KubernetesClient

/// A pod as the API server knows it.
struct PodView: Sendable {
    let object: JSONValue

    var name: String { object.objectName ?? "" }
    var uid: String { object.objectUID ?? "" }
    var namespace: String { object.objectNamespace ?? "" }
    var isTerminating: Bool { object.isTerminating }
    var phase: String { object[path: "status", "phase"]?.string ?? "" }
    /// Nothing of it runs any more, and nothing will.
    var hasEnded: Bool { phase == "Succeeded" || phase == "Failed" }
    var address: String? { object[path: "status", "podIP"]?.string.flatMap { $0.isEmpty ? nil : $0 } }
    var node: String? { object[path: "spec", "nodeName"]?.string }

    func status(_ container: String) -> ContainerView? {
        let all = object[path: "status", "containerStatuses"]?.array ?? []
        return all.first { $0["name"]?.string == container }.map { ContainerView(status: $0) }
    }

    func status(init container: String) -> ContainerView? {
        let all = object[path: "status", "initContainerStatuses"]?.array ?? []
        return all.first { $0["name"]?.string == container }.map { ContainerView(status: $0) }
    }

    /// Of init containers too.
    var allStatuses: [ContainerView] {
        ((object[path: "status", "initContainerStatuses"]?.array ?? [])
            + (object[path: "status", "containerStatuses"]?.array ?? [])).map { ContainerView(status: $0) }
    }

    func isRunning(_ container: String) -> Bool {
        !isTerminating && !hasEnded && status(container)?.isRunning == true
    }

    /// Names of the claims that it mounts.
    var claims: [String] {
        (object[path: "spec", "volumes"]?.array ?? []).compactMap {
            $0[path: "persistentVolumeClaim", "claimName"]?.string
        }
    }

    /// Why it does not run, in the words of the scheduler or kubelet; nil where nothing is known.
    var trouble: String? {
        if let reason = object[path: "status", "reason"]?.string {
            return Self.sentence(reason, object[path: "status", "message"]?.string)
        }
        for status in allStatuses {
            if let waiting = status.waiting, waiting.reason != "PodInitializing", waiting.reason != "ContainerCreating"
            {
                return Self.sentence(waiting.reason, waiting.message)
            }
        }
        let conditions = object[path: "status", "conditions"]?.array ?? []
        guard
            let unscheduled = conditions.first(where: {
                $0["type"]?.string == "PodScheduled" && $0["status"]?.string == "False"
            })
        else { return nil }
        return Self.sentence(unscheduled["reason"]?.string ?? "not scheduled", unscheduled["message"]?.string)
    }

    /// Trouble that time does not mend.
    var isHopeless: Bool {
        let reasons: Set = ["ErrImageNeverPull", "InvalidImageName", "CreateContainerError"]
        return allStatuses.contains { reasons.contains($0.waiting?.reason ?? "") }
    }

    private static func sentence(_ reason: String, _ message: String?) -> String {
        guard let message, !message.isEmpty else { return reason }
        return "\(reason): \(message)"
    }
}

/// A container as its kubelet reports it.
struct ContainerView: Sendable {
    let status: JSONValue

    var name: String { status["name"]?.string ?? "" }
    var isReady: Bool { status["ready"]?.bool == true }
    var restarts: Int64 { status["restartCount"]?.integer ?? 0 }
    var isRunning: Bool { status[path: "state", "running"] != nil }

    var waiting: (reason: String, message: String?)? {
        guard let waiting = status[path: "state", "waiting"] else { return nil }
        return (waiting["reason"]?.string ?? "waiting", waiting["message"]?.string)
    }

    var termination: ContainerTermination? {
        status[path: "state", "terminated"].map { ContainerTermination($0) }
    }

    var lastTermination: ContainerTermination? {
        status[path: "lastState", "terminated"].map { ContainerTermination($0) }
    }
}

/// How a container ended.
struct ContainerTermination: Hashable, Sendable {
    var exitCode: Int32
    /// `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, …
    var reason: String
    var message: String?
    var startedAt: Timestamp?
    var finishedAt: Timestamp?

    init(_ value: JSONValue) {
        exitCode = value["exitCode"]?.integer.map { Int32(clamping: $0) } ?? 255
        reason = value["reason"]?.string ?? "unknown"
        message = value["message"]?.string
        startedAt = value["startedAt"]?.string.flatMap { Timestamp(rfc3339: $0) }
        finishedAt = value["finishedAt"]?.string.flatMap { Timestamp(rfc3339: $0) }
    }

    var sentence: String {
        reason == "OOMKilled"
            ? "it was killed because it used more memory than its limit (OOMKilled, exit code \(exitCode))"
            : "\(reason), exit code \(exitCode)"
    }
}
