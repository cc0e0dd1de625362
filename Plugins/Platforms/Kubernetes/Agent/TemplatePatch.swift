import FleetPluginAPI
import KubernetesClient
import YAML

/// What an instance's pod template needs so that PostgreSQL can call fleet: an init container that copies the program
/// out of its image, and mounts for it, its configuration and repositories on claims. The server's image stays as it is.
struct TemplatePatch: Sendable {
    private let instance: KubernetesInstance
    private let agent: AgentPlace

    init(_ instance: KubernetesInstance, _ settings: ClusterSettings) {
        self.instance = instance
        agent = AgentPlace(instance, settings)
    }

    /// A strategic merge patch, as kustomize and `kubectl patch --patch-file` take it.
    var text: String {
        let isApplied = instance.workload.kind != .podTemplates
        let then = isApplied ? "" : "# and then delete the pod, so that the next one has it too.\n"
        let head = """
            # Lets the server of \(instance.name) call fleet: for kustomize, or
            #   kubectl -n \(instance.namespace) patch \(instance.workload.kind.plural) \(instance.workload.name) \
            --patch-file THIS-FILE

            """
        return head + then + YAMLText.of(object).text
    }

    var object: JSONValue {
        let containerMounts: JSONValue = [
            "name": .string(instance.containerName), "volumeMounts": .array(agent.mounts()),
        ]
        let template: JSONValue = [
            "spec": [
                "initContainers": [
                    agent.initContainer(
                        securityContext: instance.container["securityContext"],
                        resources: instance.container["resources"])
                ],
                "containers": [containerMounts], "volumes": .array(agent.volumes()),
            ]
        ]
        var patch: [String: JSONValue] = [
            "apiVersion": .string(instance.workload.kind.apiVersion), "kind": .string(instance.workload.kind.kind),
            "metadata": ["name": .string(instance.workload.name), "namespace": .string(instance.namespace)],
        ]
        if instance.workload.kind == .podTemplates {
            patch["template"] = template
        } else {
            patch["spec"] = ["template": template]
        }
        return .object(patch)
    }

    /// What is not there yet, each in a few words.
    var missing: [String] {
        var missing: [String] = []
        let mounted = Set(
            (instance.container["volumeMounts"]?.array ?? []).compactMap {
                $0["mountPath"]?.string.map(FilePathText.normal)
            })
        let copies = (instance.pod["initContainers"]?.array ?? []).contains {
            $0["name"]?.string == ObjectNames.agentContainer
        }
        if !copies || !mounted.contains(AgentPlace.program) { missing.append("the program \(AgentPlace.program)") }
        if !mounted.contains(AgentPlace.configuration) { missing.append("its configuration") }
        for path in agent.repositories.keys.map(FilePathText.normal).sorted() where !mounted.contains(path) {
            missing.append("the repository \(path)")
        }
        return missing
    }
}

/// JSON as YAML, with members in the order in which people write manifests.
enum YAMLText {
    private static let first = ["apiVersion", "kind", "metadata", "name", "namespace", "image", "command", "spec"]

    static func of(_ value: JSONValue) -> YAMLValue {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .array(let items): .sequence(items.map(of))
        case .object(let members):
            .mapping(
                members.sorted { rank($0.key) < rank($1.key) }.map { YAMLValue.Entry($0.key, of($0.value)) })
        }
    }

    private static func rank(_ key: String) -> (Int, String) { (first.firstIndex(of: key) ?? first.count, key) }
}
