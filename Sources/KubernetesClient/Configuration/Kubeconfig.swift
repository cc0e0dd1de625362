import FleetPluginAPI
import YAML

/// Kubeconfig files merged: whatever is named in several of them counts as the first one has it.
struct Kubeconfig {
    private var clusters: [String: KubeconfigNode] = [:]
    private var users: [String: KubeconfigNode] = [:]
    private var contexts: [String: KubeconfigNode] = [:]
    private var currentContext: String?
    private var files: [String]

    init(_ roots: [KubeconfigNode]) throws {
        files = roots.map(\.file)
        for root in roots {
            if currentContext == nil { currentContext = try root.string("current-context") }
            try Self.add("clusters", "cluster", of: root, to: &clusters)
            try Self.add("users", "user", of: root, to: &users)
            try Self.add("contexts", "context", of: root, to: &contexts)
        }
    }

    private static func add(
        _ list: String, _ member: String, of root: KubeconfigNode, to entries: inout [String: KubeconfigNode]
    ) throws {
        for item in try root.children(list) {
            guard let name = try item.string("name") else { throw item.error("\(item.field) has no name") }
            guard entries[name] == nil else { continue }
            var body =
                try item.child(member)
                ?? KubeconfigNode(
                    node: YAMLNode(.mapping([]), tag: .mapping, start: item.node.start, end: item.node.end),
                    file: item.file, field: "")
            body.field = "\(list)[\(name)]"
            entries[name] = body
        }
    }

    /// The context of this name, or the current one.
    ///
    /// - Throws: `configuration`; `refused` where it turns the verification of certificates off; `unsupported`.
    func configuration(context name: String?) throws -> KubernetesConfiguration {
        let where_ = files.joined(separator: ", ")
        guard let name = name ?? currentContext else {
            throw FleetError(
                .configuration, "no context is chosen in \(where_)",
                hint: "name one of: \(Self.listed(contexts.keys)); or set current-context")
        }
        guard let context = contexts[name] else {
            throw FleetError(
                .configuration, "there is no context “\(name)” in \(where_)",
                hint: "there is: \(Self.listed(contexts.keys))")
        }
        guard let clusterName = try context.string("cluster") else {
            throw context.error("\(context.field) names no cluster")
        }
        guard let cluster = clusters[clusterName] else {
            throw context.error(
                "\(context.field) names the cluster “\(clusterName)”, which there is not",
                at: context.member("cluster"),
                hint: "there is: \(Self.listed(clusters.keys))")
        }
        var credentials = UserCredentials(name: "nobody (the context names no user)")
        if let userName = try context.string("user") {
            guard let user = users[userName] else {
                throw context.error(
                    "\(context.field) names the user “\(userName)”, which there is not", at: context.member("user"),
                    hint: "there is: \(Self.listed(users.keys))")
            }
            credentials = try UserCredentials(user, name: userName, cluster: cluster)
        }
        return try KubernetesConfiguration(
            cluster, credentials, contextName: name, namespace: context.string("namespace") ?? "default")
    }

    private static func listed(_ names: some Sequence<String>) -> String {
        let names = names.sorted()
        return names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }
}
