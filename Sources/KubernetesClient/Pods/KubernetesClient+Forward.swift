extension KubernetesClient {
    /// Makes a port of this machine (127.0.0.1 only) lead to a pod's port. Each connection has a WebSocket of its own,
    /// and one that fails costs only itself.
    ///
    /// Needs the verbs `get` and `create` on `pods/portforward`. Nothing is asked of the server before somebody connects.
    /// - Throws: `exhausted`, `unavailable` where there is no local port to be had.
    public func forward(pod: String, namespace: String, port: Int) async throws -> PortForward {
        try await forward(namespace: namespace, port: port) { pod }
    }

    /// The same, to the pod that `pod` names when somebody connects.
    public func forward(
        namespace: String, port: Int, pod: @escaping @Sendable () async throws -> String
    ) async throws -> PortForward {
        try PortForward(self, namespace: namespace, port: port, pod: pod)
    }
}
