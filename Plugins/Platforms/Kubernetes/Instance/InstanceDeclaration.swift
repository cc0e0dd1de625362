import FleetPluginAPI
import KubernetesClient

/// The `platform:` block of an instance, read.
struct InstanceDeclaration: Sendable {
    var instance: Instance
    var workload: ObjectReference

    private static let kinds: [(names: [String], kind: ResourceKind)] = [
        (["statefulset", "statefulsets", "sts"], .statefulSets),
        (["deployment", "deployments", "deploy"], .deployments),
        (["podtemplate", "podtemplates"], .podTemplates),
    ]

    /// - Throws: `configuration`.
    init(_ instance: Instance) throws {
        self.instance = instance
        let namespace = try instance.platform.required("namespace")
        let text = try instance.platform.required("workload")
        let words = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 2, !words[1].isEmpty,
            let kind = Self.kinds.first(where: { $0.names.contains(words[0].lowercased()) })?.kind
        else {
            throw FleetError(
                .configuration, "the workload of \(instance.name), \(text), is not understood",
                hint: "write statefulset/NAME, deployment/NAME or podtemplate/NAME")
        }
        workload = ObjectReference(kind, namespace: namespace, name: words[1])
    }

    var options: PluginOptions { instance.platform }
    var namespace: String { workload.namespace ?? "" }

    /// How the option names it.
    static func text(_ kind: ResourceKind, _ name: String) -> String {
        "\(kind.kind.lowercased())/\(name)"
    }
}
