import FleetPluginAPI
import KubernetesClient

extension KubernetesWorkload {
    /// Waits until no pod of it is left, ending ones included, and no Job of its CronJobs runs.
    ///
    /// - Throws: `timedOut` that names each pod with its node and what keeps it; `conflict` when it has been scaled up
    ///   although a run has it down.
    public func awaitGone(deadline: Duration) async throws {
        let cluster = try await cluster()
        let end = ContinuousClock.now + deadline
        var waiting = Waiting()
        while true {
            do {
                let left = try await remains(cluster)
                waiting.relax()
                if left.isEmpty { return }
                guard ContinuousClock.now < end else {
                    throw FleetError(
                        .timedOut, "\(reference) is not gone after \(DurationText.text(deadline))",
                        cause: left.prefix(5).joined(separator: "; ") + (left.count > 5 ? "; and more" : ""),
                        hint: "a pod whose node is lost must be confirmed dead before it is removed by force",
                        retriable: false)
                }
            } catch let error as FleetError where error.isRetriable {
                try await waiting.bear(error, until: end)
                continue
            }
            try await waiting.pause(until: end)
        }
    }

    /// What is left of it, each in words.
    private func remains(_ cluster: KubernetesCluster) async throws -> [String] {
        let state = try await self.state(cluster)
        if let record = try state.record, state.replicas > 0 {
            throw FleetError(
                .conflict, scaledMeanwhile(state, record),
                hint: "find out who did, then: fleet runs resume \(record.run)", retriable: false)
        }
        let now = Timestamp.now
        var left = try await pods(cluster, state).filter { !$0.isOver }.map { $0.straggling(now: now) }
        // Its controller may not have heard of the change and be about to make a pod.
        if left.isEmpty, state.replicas > 0 || state.statusReplicas > 0 || state.observedGeneration < state.generation {
            left.append("its controller has yet to bring it to zero")
        }
        return left + (try await runningJobs(cluster, state))
    }

    private func runningJobs(_ cluster: KubernetesCluster, _ state: WorkloadState) async throws -> [String] {
        guard !options.cronJobs.isEmpty else { return [] }
        let cronJobs = try await finder(cluster, state).cronJobs().cronJobs
        let place = SharedReads.Place(kind: .jobs, namespace: reference.namespace)
        return try await cluster.reads.objects(place, .everything).compactMap { job in
            // One that a person started by hand may not name it as its controller.
            let owners = ObjectOwner.all(of: job).map(\.uid)
            guard job.isRunningJob, let cronJob = cronJobs.first(where: { owners.contains($0.uid) }) else { return nil }
            return "the Job \(job.objectName ?? "") of the CronJob \(cronJob.name) is still running"
        }
    }

    func scaledMeanwhile(_ state: WorkloadState, _ record: QuiesceRecord) -> String {
        "someone scaled \(reference) to \(state.replicas) while the run \(record.run) has it down"
    }
}

extension JSONValue {
    /// Whether a Job has pods that run, or may get them.
    fileprivate var isRunningJob: Bool {
        let isFinished = (self[path: "status", "conditions"]?.array ?? []).contains {
            ["Complete", "Failed"].contains($0["type"]?.string ?? "") && $0["status"]?.string == "True"
        }
        let isSuspended = self[path: "spec", "suspend"]?.bool ?? false
        return !isFinished && (!isSuspended || (self[path: "status", "active"]?.integer ?? 0) > 0)
    }
}

/// The pauses between looks at something that takes its time.
struct Waiting: Sendable {
    private var patience = Patience()
    private var step: Duration = .milliseconds(200)

    /// Sleeps for a while, longer each time, but not past `end`.
    mutating func pause(until end: ContinuousClock.Instant) async throws {
        try await Task.sleep(for: max(.zero, min(step, end - .now)))
        step = min(step * 1.5, .seconds(2))
    }

    mutating func relax() { patience.relax() }

    /// - Throws: the error, when it will not pass, has taken too long, or the time is over.
    mutating func bear(_ error: FleetError, until end: ContinuousClock.Instant) async throws {
        guard ContinuousClock.now < end else { throw error }
        try await patience.bear(error)
    }
}
