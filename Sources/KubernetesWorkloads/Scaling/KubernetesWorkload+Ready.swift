public import FleetPluginAPI
import KubernetesClient

extension KubernetesWorkload {
    /// Waits until it has as many copies as the record says and its rollout is complete. With an autoscaler, as many
    /// as that wants by now.
    ///
    /// - Throws: `timedOut` or `checkFailed` with the pods' own reasons.
    public func awaitReady(_ record: QuiesceRecord, deadline: Duration) async throws {
        let cluster = try await cluster()
        let patience = min(deadline, options.readyTimeout ?? deadline)
        let end = ContinuousClock.now + patience
        var waiting = Waiting()
        while true {
            do {
                let state = try await self.state(cluster)
                let awaited = try await self.awaited(record, state, cluster)
                waiting.relax()
                guard let awaited else { return try await tidy(state, cluster) }
                guard ContinuousClock.now < end else {
                    throw FleetError(
                        .timedOut, "\(reference) is not ready after \(DurationText.text(patience)): \(awaited)",
                        cause: try await troubles(state, cluster), hint: "look at its pods' logs and events",
                        retriable: false)
                }
            } catch let error as FleetError where error.isRetriable {
                try await waiting.bear(error, until: end)
                continue
            }
            try await waiting.pause(until: end)
        }
    }

    /// What is not so yet; nil when all is.
    private func awaited(
        _ record: QuiesceRecord, _ state: WorkloadState, _ cluster: KubernetesCluster
    ) async throws -> String? {
        if let known = try state.record { return "the run \(known.run) has it down" }
        switch state.rollout {
        case .underway(let text): return text
        case .failed(let text):
            throw FleetError(
                .checkFailed, "\(reference) does not become ready: \(text)", cause: try await troubles(state, cluster),
                hint: "look at its pods' logs and events")
        case .complete: break
        }
        guard state.replicas < record.original else { return nil }
        let around = try await finder(cluster, state).find()
        let isAutoscaled = !around.autoscalers.isEmpty && state.replicas > 0
        return isAutoscaled ? nil : "\(state.replicas) copies are asked for, and there were \(record.original)"
    }

    private func tidy(_ state: WorkloadState, _ cluster: KubernetesCluster) async throws {
        do {
            try await clearCopies(state, cluster)
        } catch let error as FleetError where error.code == .denied {
            // Named as an obstacle beforehand. It is ready all the same.
        }
    }

    /// Why its pods are not ready, in their own words; nil when they say nothing.
    private func troubles(_ state: WorkloadState, _ cluster: KubernetesCluster) async throws -> String? {
        let pods = try await pods(cluster, state).filter { !$0.isReady && $0.terminating == nil }
        var texts: [String] = []
        for pod in pods.prefix(3) {
            var text = "pod \(pod.name): " + (pod.troubles.isEmpty ? pod.phase : pod.troubles.joined(separator: ", "))
            if let container = pod.crashing, let line = await lastLine(pod.name, container, cluster) {
                text += ", its last line is “\(line)”"
            }
            texts.append(text)
        }
        if pods.count > 3 { texts.append("and \(pods.count - 3) more") }
        if let first = pods.min(by: { $0.ordinal < $1.ordinal }), state.startsInOrder {
            texts.append("later copies wait for \(first.name), since they start one after the other")
        }
        return texts.isEmpty ? nil : texts.joined(separator: "; ")
    }

    /// What a container wrote last, or the one before it. Nil where that may not be read.
    private func lastLine(_ pod: String, _ container: String, _ cluster: KubernetesCluster) async -> String? {
        for previous in [false, true] {
            let lines = cluster.client.logs(
                pod: pod, namespace: reference.namespace, container: container,
                options: LogOptions(previous: previous, tailLines: 1))
            do {
                // What a node says of a container that it has removed already is no line of it.
                for try await line in lines where !line.text.hasPrefix("unable to retrieve container logs") {
                    return String(line.text.prefix(500))
                }
            } catch {
                // It only helps to understand another error, which is the one to tell.
            }
        }
        return nil
    }
}

extension PodState {
    /// The number at the end of the name of a StatefulSet's pod.
    var ordinal: Int { name.split(separator: "-").last.flatMap { Int($0) } ?? .max }
}
