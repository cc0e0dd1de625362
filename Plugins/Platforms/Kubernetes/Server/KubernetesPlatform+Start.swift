public import FleetPluginAPI
import KubernetesClient
import KubernetesWorkloads

extension KubernetesPlatform {
    public func start(_ instance: Instance, deadline: Duration) async throws {
        let end = ContinuousClock.now + deadline
        let found = try await resolve(instance)
        let condition = ServerCondition(found, try await pods(of: found))
        if condition.state == .stopped || condition.state == .stopping {
            try await awaitGone(found, deadline)
        }
        try await bringBack(found)
        try await awaitConnections(instance, until: end, deadline)
    }

    private func awaitGone(_ instance: KubernetesInstance, _ deadline: Duration) async throws {
        guard instance.workload.kind == .podTemplates else {
            return try await workload(of: instance).awaitGone(deadline: deadline)
        }
        try await removePods(of: instance, deadline: deadline)
    }

    /// Back to one, with what the record says was paused; a workload that somebody took to zero by hand too.
    private func bringBack(_ instance: KubernetesInstance) async throws {
        guard instance.workload.kind != .podTemplates else { return try await makePod(of: instance) }
        let workload = workload(of: instance)
        let record = try await riding { try await workload.observe().record }
        let run = record?.run ?? holder(of: instance)
        guard run == holder(of: instance) else {
            throw FleetError(
                .conflict,
                "\(instance.workload) of \(instance.name) was taken down by the run \(run) as an application",
                hint: "an instance's own workload is not declared as an application as well", retriable: false)
        }
        try await workload.resume(QuiesceRecord(run: run, original: 1, details: record?.details ?? .null))
    }

    private func awaitConnections(
        _ instance: Instance, until end: ContinuousClock.Instant, _ deadline: Duration
    ) async throws {
        // By pod: how often its container had been started when it was first seen.
        var restarts: [String: Int64] = [:]
        while true {
            let found = try await resolve(instance)
            let condition = ServerCondition(found, try await pods(of: found))
            if condition.state == .running { return }
            if let pod = condition.pod {
                if pod.isRunning(found.containerName), await acceptsConnections(pod, found) { return }
                try await check(pod, found, &restarts)
            }
            guard ContinuousClock.now < end else {
                let tail = (try? await recentLog(of: instance, lines: 5)) ?? []
                throw FleetError(
                    .timedOut,
                    "the server of \(instance.name) does not accept connections after \(DurationText.text(deadline)): "
                        + "it is \(condition.state.rawValue)",
                    cause: (condition.remarks + tail).joined(separator: "\n"),
                    hint: "it was left as it is; a recovery may need longer")
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    /// Throws when the container has ended since it was first seen, or never began.
    private func check(_ pod: PodView, _ instance: KubernetesInstance, _ restarts: inout [String: Int64]) async throws {
        if pod.isHopeless {
            throw FleetError(
                .failed, "the server of \(instance.name) did not start: its pod \(pod.name) cannot begin",
                cause: pod.trouble)
        }
        guard let container = pod.status(instance.containerName) else { return }
        let first = restarts[pod.uid] ?? container.restarts
        restarts[pod.uid] = first
        let isLooping = container.waiting?.reason == "CrashLoopBackOff"
        guard
            let ended = container.termination
                ?? (isLooping || container.restarts > first ? container.lastTermination : nil)
        else { return }
        let isPrevious = container.termination == nil && container.isRunning
        let lines = (try? await log(of: pod, container: container.name, lines: 15, previous: isPrevious)) ?? []
        throw FleetError(
            .failed, "the server of \(instance.name) did not start: its container ended: \(ended.sentence)",
            cause: lines.isEmpty ? "its log is empty" : lines.joined(separator: "\n"),
            hint: "the whole log: kubectl -n \(instance.namespace) logs \(pod.name) -c \(container.name)"
                + (isPrevious ? " --previous" : ""))
    }
}
