import FleetPluginAPI
import KubernetesClient
import KubernetesWorkloads

/// The way to one cluster, and what was found out through it.
actor ClusterLink {
    nonisolated let login: KubernetesLogin
    private var answers: [String: String] = [:]
    private var forwards: [String: PortForward] = [:]
    private var questions: [String: Task<QueryAnswer, any Error>] = [:]

    init(_ settings: ClusterSettings) {
        login = KubernetesLogin(kubeconfig: settings.kubeconfig, context: settings.context)
    }

    /// One for all plugins of the process that go to this cluster.
    ///
    /// - Throws: `configuration`, `denied`, `refused`.
    nonisolated func client() async throws -> KubernetesClient {
        try await KubernetesClusters.shared.cluster(login).client
    }

    /// A port of this machine that leads to whichever pod `pod` names when somebody connects; the same one each time it
    /// is asked for under this key, and open as long as this object lives.
    func localPort(
        _ key: String, namespace: String, port: Int, pod: @escaping @Sendable () async throws -> String
    ) async throws -> Int {
        if let open = forwards[key] { return open.localPort }
        let made = try await client().forward(namespace: namespace, port: port, pod: pod)
        // Made while this one waited for the client.
        if let open = forwards[key] { return open.localPort }
        forwards[key] = made
        return made.localPort
    }

    /// Asks, or waits with whoever asks the same under this key now.
    func asking(
        _ key: String, _ ask: @escaping @Sendable () async throws -> QueryAnswer
    ) async throws -> QueryAnswer {
        if let asked = questions[key] { return try await asked.value }
        let question = Task { try await ask() }
        questions[key] = question
        defer { questions[key] = nil }
        return try await withTaskCancellationHandler {
            try await question.value
        } onCancel: {
            question.cancel()
        }
    }

    /// What was answered before under this key, else what `ask` answers now. No answer is not remembered.
    func remembered(_ key: String, _ ask: @Sendable () async throws -> String?) async throws -> String? {
        if let known = answers[key] { return known }
        let answer = try await ask()
        if let answer { answers[key] = answer }
        return answer
    }
}
