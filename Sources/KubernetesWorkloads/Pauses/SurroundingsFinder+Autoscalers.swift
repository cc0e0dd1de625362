import FleetPluginAPI
import KubernetesClient

extension SurroundingsFinder {
    /// HorizontalPodAutoscalers are not touched: a workload with no copies is left alone by those whose minimum is at
    /// least 1 (kubernetes/pkg/controller/podautoscaler/horizontal.go, `reconcileAutoscaler`).
    func addAutoscalers(_ found: inout Surroundings) async throws {
        for autoscaler in try await all(.horizontalPodAutoscalers, &found)
        where isTarget(autoscaler[path: "spec", "scaleTargetRef"]) {
            let name = autoscaler.objectName ?? ""
            let minimum = Int(clamping: autoscaler[path: "spec", "minReplicas"]?.integer ?? 1)
            found.autoscalers.append(Surroundings.Autoscaler(name: name, minimum: minimum))
            if minimum == 0 {
                found.obstacles.append(
                    "the HorizontalPodAutoscaler \(namespace)/\(name) has minReplicas 0 and stays active when "
                        + "\(workload.reference) has no copies: set it to 1")
            }
        }
    }

    /// KEDA holds the number of copies at zero itself while both annotations are there, and would otherwise bring back
    /// the first one (KEDA's documentation, “Pause autoscaling”).
    func addScaledObjects(_ found: inout Surroundings) async throws {
        guard let kind = try await cluster.kind(.scaledObject) else { return }
        for object in try await all(kind, &found) where isTarget(object[path: "spec", "scaleTargetRef"]) {
            let reference = ObjectReference(kind, namespace: namespace, name: object.objectName ?? "")
            found.pauses.append(
                try Pause(
                    object, reference, title: "the KEDA ScaledObject \(namespace)/\(reference.name)",
                    effect: "would bring copies back",
                    settings: [
                        Pause.annotation("autoscaling.keda.sh/paused-replicas", "0"),
                        Pause.annotation("autoscaling.keda.sh/paused", "true"),
                    ]))
        }
    }

    func addCronJobs(_ found: inout Surroundings) async throws {
        guard !options.cronJobs.isEmpty else { return }
        guard let kind = try await cluster.kind(.cronJob) else {
            throw FleetError(.unsupported, "\(cluster.client.configuration.contextName) serves no CronJobs")
        }
        let all = try await all(kind, &found)
        for wish in options.cronJobs {
            let chosen = try CronJobWish(wish).filter(all)
            if chosen.isEmpty {
                found.obstacles.append("no CronJob in the namespace \(namespace) is or matches “\(wish)”")
            }
            for job in chosen where !found.cronJobs.contains(where: { $0.uid == job.objectUID }) {
                let reference = ObjectReference(kind, namespace: namespace, name: job.objectName ?? "")
                found.cronJobs.append(
                    Surroundings.CronJobState(name: reference.name, uid: job.objectUID ?? ""))
                found.pauses.append(
                    try Pause(
                        job, reference, title: "the CronJob \(namespace)/\(reference.name)",
                        effect: "would start Jobs of the application", settings: [Pause.suspended]))
            }
        }
    }
}
