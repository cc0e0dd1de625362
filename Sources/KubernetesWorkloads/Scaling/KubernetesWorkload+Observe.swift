public import FleetPluginAPI
import KubernetesClient

extension KubernetesWorkload {
    public func observe() async throws -> ScaleObservation {
        let cluster = try await cluster()
        let state = try await self.state(cluster)
        async let found = finder(cluster, state).find()
        let pods = try await self.pods(cluster, state).filter { !$0.isOver }
        let record = try state.record
        let remarks = remarks(state, record, try await found)
        return ScaleObservation(
            desired: state.replicas, running: pods.count,
            ready: pods.count { $0.isReady && $0.terminating == nil }, record: record, remarks: remarks)
    }

    private func remarks(_ state: WorkloadState, _ record: QuiesceRecord?, _ around: Surroundings) -> [String] {
        var remarks: [String] = []
        if let record, state.replicas > 0 { remarks.append(scaledMeanwhile(state, record)) }
        remarks += inherentObstacles(state) + around.obstacles
        remarks += around.unknowns.map { "unknown whether something would bring it back: \($0)" }
        for autoscaler in around.autoscalers {
            remarks.append(
                "the HorizontalPodAutoscaler \(reference.namespace)/\(autoscaler.name) (at least \(autoscaler.minimum)) "
                    + "rests while there are no copies")
        }
        for pause in around.pauses { remarks.append(remark(pause, record)) }
        return remarks
    }

    private func remark(_ pause: Pause, _ record: QuiesceRecord?) -> String {
        guard let holder = pause.note?.holders["\(reference)"] else {
            return record == nil
                ? "\(pause.title) \(pause.effect), and is paused while it is down"
                : "\(pause.title) \(pause.effect), and is not paused: it came after the run took it down"
        }
        if !pause.isInEffect { return "\(pause.title) was paused by the run \(holder.run), and somebody undid that" }
        return record == nil
            ? "\(pause.title) is still paused by the run \(holder.run), which did not take it down: fleet runs abort "
                + holder.run
            : "\(pause.title) is paused by the run \(holder.run)"
    }
}
