import FleetPluginAPI
import KubernetesClient

/// How a task stands, read from its Job and the Job's pods.
enum JobReading: Hashable, Sendable {
    case running
    /// It waits for something that does not come; in a sentence.
    case stuck(String)
    case ended(TaskEnd)
    /// Its pod vanished without saying how it ended.
    case lost

    /// The exit status of a task that could not begin.
    static let notBegun: Int32 = 125

    /// - Parameters:
    ///   - pods: of this Job.
    ///   - patience: how long a pod may take to begin.
    static func read(_ job: JSONValue, pods: [PodView], now: Timestamp, patience: Duration) -> JobReading {
        let created = job[path: "metadata", "creationTimestamp"]?.string.flatMap { Timestamp(rfc3339: $0) } ?? now
        let failed = condition("Failed", of: job)
        guard let pod = newest(pods) else {
            if let failed, failed["reason"]?.string == "DeadlineExceeded" {
                return .ended(
                    TaskEnd(PodTask.deadlineStatus, created, now, note: "it was ended after the Job's deadline"))
            }
            return failed != nil || condition("Complete", of: job) != nil ? .lost : .running
        }
        if let termination = pod.status(ObjectNames.taskContainer)?.termination {
            return .ended(ended(termination, pod, created, now))
        }
        if let broken = pod.status(init: ObjectNames.agentContainer)?.termination, broken.exitCode != 0, pod.hasEnded {
            return .ended(
                TaskEnd(
                    notBegun, created, now,
                    note: "fleet could not be copied out of the agent image: \(broken.sentence) "
                        + (broken.message ?? "")))
        }
        if pod.hasEnded {
            let isLate = pod.trouble?.hasPrefix("DeadlineExceeded") == true
            let status = isLate ? PodTask.deadlineStatus : 137
            return .ended(TaskEnd(status, created, now, note: "its pod was ended: \(pod.trouble ?? pod.phase)"))
        }
        let hasBegun = pod.status(ObjectNames.taskContainer)?.isRunning == true
        if !hasBegun, !pod.isTerminating {
            let waited = Duration.microseconds(now.microseconds - created.microseconds)
            if pod.isHopeless || waited > patience {
                return .stuck(pod.trouble ?? "its pod did not begin within \(DurationText.text(patience))")
            }
        }
        return .running
    }

    private static func ended(
        _ termination: ContainerTermination, _ pod: PodView, _ created: Timestamp, _ now: Timestamp
    ) -> TaskEnd {
        var note: String?
        if termination.reason == "OOMKilled" {
            note = termination.sentence + "; raise limits.memory of taskResources"
        } else if termination.reason != "Completed", termination.reason != "Error" {
            note = "\(termination.reason): \(termination.message ?? "exit code \(termination.exitCode)")"
        } else if let trouble = pod.trouble, pod.phase == "Failed", termination.exitCode != 0 {
            note = "its pod was ended: \(trouble)"
        }
        let start = termination.startedAt ?? created
        return TaskEnd(
            termination.exitCode, start, max(start, termination.finishedAt ?? now), note: note)
    }

    private static func newest(_ pods: [PodView]) -> PodView? {
        pods.max { age($0) < age($1) }
    }

    private static func age(_ pod: PodView) -> String {
        pod.object[path: "metadata", "creationTimestamp"]?.string ?? ""
    }

    private static func condition(_ type: String, of job: JSONValue) -> JSONValue? {
        job[path: "status", "conditions"]?.array?.first {
            $0["type"]?.string == type && $0["status"]?.string == "True"
        }
    }
}

/// How a task ended, with what its exit status does not say.
struct TaskEnd: Hashable, Sendable, Codable {
    var outcome: TaskOutcome
    /// In words, for people.
    var note: String?

    init(_ exitStatus: Int32, _ startedAt: Timestamp, _ endedAt: Timestamp, note: String? = nil) {
        outcome = TaskOutcome(exitStatus: exitStatus, startedAt: startedAt, endedAt: endedAt)
        self.note = note
    }
}
