import FoundationEssentials

/// One of the two clusters: one node, and an API server that pods reach too, at the address of every cluster's Service
/// `kubernetes`.
public struct BenchCluster: Sendable {
    public enum Name: String, Sendable, CaseIterable {
        case dev, prod
    }

    public let bench: KubernetesBench
    public let name: Name

    /// Everything is allowed to this one; its context has the cluster's name.
    public var kubeconfig: String { "\(bench.directory)/\(name).conf" }
    /// A token of the group `fleet:runners`, which has no rights before `BenchNamespace.admitRunner`.
    public var runnerKubeconfig: String { "\(bench.directory)/\(name)-runner.conf" }
    /// PEM file.
    public var certificateAuthority: String { "\(bench.directory)/\(name)/pki/ca.crt" }
    public var nodeName: String { "\(name)-node" }
    /// Pods' addresses are in this one's /24; the host and both clusters' pods reach them.
    public var nodeAddress: String { "10.201.\(number).1" }
    /// `https://ADDRESS:PORT`.
    public var server: String { "https://10.211.\(number).1:443" }

    private var number: Int { name == .dev ? 1 : 2 }

    /// What kubectl does with these arguments, whatever it comes to.
    public func runKubectl(_ arguments: [String], input: String? = nil) async throws -> ToolResult {
        let proxies = ["http_proxy", "https_proxy", "all_proxy"]
        let environment = ProcessInfo.processInfo.environment.filter { !proxies.contains($0.key.lowercased()) }
        let options = ["--kubeconfig", kubeconfig, "--cache-dir", "\(bench.directory)/kubectl-cache"]
        return try await runTool([bench.kubectl] + options + arguments, environment: environment, input: input)
    }

    /// What kubectl writes to standard output; throws when it fails.
    @discardableResult
    public func kubectl(_ arguments: String..., input: String? = nil) async throws -> String {
        try await runKubectl(arguments, input: input).checked().text
    }

    /// Applies objects, in YAML or JSON. Those of no namespace are the caller's to delete.
    public func apply(_ manifest: String) async throws {
        let first = try await runKubectl(["apply", "-f", "-"], input: manifest)
        // Another test has made the same object between kubectl's look and its own request: now there is one to look at.
        if first.exitCode != 0, first.errors.contains("AlreadyExists") {
            try await kubectl("apply", "-f", "-", input: manifest)
        } else {
            try first.checked()
        }
    }
}
