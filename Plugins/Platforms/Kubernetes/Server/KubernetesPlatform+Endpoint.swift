public import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    public func endpoint(of instance: Instance) async throws -> Endpoint {
        let found = try await resolve(instance)
        if let host = instance.connection.host {
            return endpoint(found, host: host, port: found.port)
        }
        guard settings.forwards else { return try await taskEndpoint(of: found) }
        let (name, container) = (found.name, found.containerName)
        let port = try await link.localPort(
            "\(found.workload) \(found.port)", namespace: found.namespace, port: found.port
        ) { [self] in
            guard let pod = try await pods(of: resolve(instance)).first(where: { $0.isRunning(container) }) else {
                throw FleetError(.unavailable, "the server of \(name) does not run")
            }
            return pod.name
        }
        return endpoint(found, host: "127.0.0.1", port: port)
    }

    public func taskEndpoint(of instance: Instance) async throws -> Endpoint {
        try await taskEndpoint(of: try await resolve(instance))
    }

    private func taskEndpoint(of instance: KubernetesInstance) async throws -> Endpoint {
        if let host = instance.declared.instance.connection.host {
            return endpoint(instance, host: host, port: instance.port)
        }
        if let service = instance.options.string("service") {
            return endpoint(instance, host: "\(service).\(instance.namespace).svc", port: instance.port)
        }
        let address = try await currentPod(of: instance)?.address
        return endpoint(instance, host: address ?? name(of: instance), port: instance.port)
    }

    /// The name that a StatefulSet's pod has through its Service; of a Deployment one that only that pod could have.
    private func name(of instance: KubernetesInstance) -> String {
        let service = instance.object[path: "spec", "serviceName"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        return "\(instance.workload.name)-0.\(service ?? instance.workload.name).\(instance.namespace).svc"
    }

    private func endpoint(_ instance: KubernetesInstance, host: String, port: Int) -> Endpoint {
        let declared = instance.declared.instance.connection
        return Endpoint(
            host: host, port: port, user: declared.user ?? instance.variable("POSTGRES_USER") ?? "postgres",
            database: declared.database ?? "postgres", password: declared.password, sslMode: declared.sslMode,
            sslRootCertificate: declared.sslRootCertificate)
    }
}
