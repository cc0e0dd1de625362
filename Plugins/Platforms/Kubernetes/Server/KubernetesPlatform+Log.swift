public import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    /// What the server's container wrote; what the logging collector writes into the data directory is not there.
    public func recentLog(of instance: Instance, lines: Int) async throws -> [String] {
        let found = try await resolve(instance)
        guard let pod = try await pods(of: found).first(where: { !$0.hasEnded }),
            let container = pod.status(found.containerName)
        else { return [] }
        // While a container waits to be started again its last one has the log.
        let isPrevious = container.waiting != nil && container.lastTermination != nil
        guard isPrevious || container.waiting == nil else { return [] }
        return try await log(of: pod, container: found.containerName, lines: lines, previous: isPrevious)
    }
}
