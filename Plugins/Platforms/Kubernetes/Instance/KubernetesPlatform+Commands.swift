import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    /// Runs a program in the server's container.
    func run(
        _ argv: [String], in pod: PodView, _ instance: KubernetesInstance, deadline: Duration = .seconds(20)
    ) async throws -> ExecResult {
        try await link.client().run(
            pod: pod.name, namespace: instance.namespace, container: instance.containerName, command: argv,
            deadline: deadline)
    }

    /// The lines that a container's log has now.
    func log(of pod: PodView, container: String, _ options: LogOptions) async throws -> [LogLine] {
        var found: [LogLine] = []
        let stream = try await link.client().logs(
            pod: pod.name, namespace: pod.namespace, container: container, options: options)
        for try await line in stream { found.append(line) }
        return found
    }

    /// The end of a container's log.
    func log(of pod: PodView, container: String, lines: Int, previous: Bool) async throws -> [String] {
        try await log(of: pod, container: container, LogOptions(previous: previous, tailLines: lines)).map(\.text)
    }
}
