import FleetPluginAPI
import DurableFiles
import FoundationEssentials

extension KubernetesConfiguration {
    /// Whether this process runs in a pod that has a service account's token.
    public static var isInCluster: Bool {
        let environment = ProcessInfo.processInfo.environment
        return environment["KUBERNETES_SERVICE_HOST"] != nil && environment["KUBERNETES_SERVICE_PORT"] != nil
            && FileManager.default.fileExists(atPath: "\(serviceAccountDirectory)/token")
    }

    /// The API server of the cluster in which this process runs, as the pod's service account.
    ///
    /// - Throws: `configuration` outside of a pod, or in one that has no token.
    public static func inCluster() async throws -> KubernetesConfiguration {
        try await inCluster(ProcessInfo.processInfo.environment, serviceAccountDirectory)
    }

    static func inCluster(_ environment: [String: String], _ directory: String) async throws -> KubernetesConfiguration
    {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"]
        else {
            throw FleetError(
                .configuration, "this process does not run in a pod: KUBERNETES_SERVICE_HOST is not set",
                hint: "give a kubeconfig")
        }
        let namespace: [UInt8]?
        do {
            // The token is read when it is used, since it rotates; here only to say early what is missing.
            _ = try await Disk().read("\(directory)/token", limit: 1 << 20)
            namespace = try await Disk().readIfPresent("\(directory)/namespace", limit: 4096)
        } catch let error as FleetError {
            throw FleetError(
                .configuration, "this pod has no service account's token", cause: error.description,
                hint: "automountServiceAccountToken must not be false for the pod and its service account")
        }
        var credentials = UserCredentials(name: "the pod's service account")
        credentials.tokenFile = "\(directory)/token"
        var configuration = KubernetesConfiguration(
            contextName: "in-cluster", server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
            defaultNamespace: namespace.map { String(decoding: $0, as: UTF8.self) } ?? "default",
            credentials: credentials)
        configuration.authorityFile = "\(directory)/ca.crt"
        return configuration
    }

    private static let serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"
}
