import FleetPluginAPI
import FoundationEssentials

extension KubernetesConfiguration {
    /// From kubeconfig files, merged as kubectl merges them: what stands in an earlier file wins.
    ///
    /// - Parameters:
    ///   - files: nil: `$KUBECONFIG`, separated by colons, or `~/.kube/config`.
    ///   - context: nil: the current one.
    /// - Throws: `configuration` with file, line and field, `denied` (a file), `refused` (TLS without verification),
    ///   `unsupported`.
    public static func load(files: [String]? = nil, context: String? = nil) async throws -> KubernetesConfiguration {
        let paths = try files ?? KubeconfigFile.standardPaths(ProcessInfo.processInfo.environment)
        var roots: [KubeconfigNode] = []
        for path in paths {
            if let root = try await KubeconfigFile.read(path, mustExist: files != nil) { roots.append(root) }
        }
        guard !roots.isEmpty else {
            throw FleetError(
                .configuration, "there is no kubeconfig at \(paths.joined(separator: ", "))",
                hint: "set KUBECONFIG to the file's path")
        }
        return try Kubeconfig(roots).configuration(context: context)
    }

    init(
        _ cluster: KubeconfigNode, _ credentials: UserCredentials, contextName: String, namespace: String
    ) throws {
        guard let server = try cluster.string("server") else { throw cluster.error("\(cluster.field) has no server") }
        self.init(
            contextName: contextName, server: String(server.reversed().drop { $0 == "/" }.reversed()),
            defaultNamespace: namespace, credentials: credentials)
        guard try !cluster.bool("insecure-skip-tls-verify") else {
            throw FleetError(
                .refused,
                "\(cluster.file): \(cluster.field).insecure-skip-tls-verify turns the verification of the server off",
                cause: "whoever stands between could read the credentials and change the answers",
                hint: "give certificate-authority or certificate-authority-data; where the certificate is for another "
                    + "name, give tls-server-name")
        }
        authorities = try cluster.data("certificate-authority-data")
        if authorities == nil, let path = try cluster.path("certificate-authority") { authorityFile = path }
        serverName = try cluster.string("tls-server-name")
        proxy = try cluster.string("proxy-url").map { Secret($0) }
    }
}
