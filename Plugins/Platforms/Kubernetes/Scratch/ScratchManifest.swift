import FleetPluginAPI
import KubernetesClient

/// The objects of a scratch place: a claim of the source's class and size, and a StatefulSet of no pods derived from
/// the source's template, which no Service of the source selects.
struct ScratchManifest: Sendable {
    static let mountPath = "/fleet-scratch"
    static let dataDirectory = "/fleet-scratch/data"
    static let volume = "fleet-scratch"

    var source: KubernetesInstance
    var settings: ClusterSettings
    var name: String
    var namespace: String
    /// The source's claim as it is.
    var sourceClaim: JSONValue

    var claim: String { name }
    var workload: ObjectReference { ObjectReference(.statefulSets, namespace: namespace, name: name) }
    var claimReference: ObjectReference { ObjectReference(.persistentVolumeClaims, namespace: namespace, name: claim) }

    static func tablespace(_ oid: some CustomStringConvertible) -> String { "\(mountPath)/tablespaces/\(oid)" }

    /// What a task finds there although nothing was restored yet: the data directory, and in a scratch place the folder
    /// of its tablespaces.
    static func directories(_ instance: KubernetesInstance) -> [String] {
        let isScratch = instance.object.labels[ObjectNames.scratchLabel] != nil
        return [instance.dataDirectory] + (isScratch ? ["\(mountPath)/tablespaces"] : [])
    }

    var labels: JSONValue {
        [
            ObjectNames.managedBy: .string(ObjectNames.manager),
            ObjectNames.scratchLabel: .string(ObjectNames.labelValue(name)),
            ObjectNames.instanceLabel: .string(ObjectNames.labelValue(name)),
        ]
    }

    var claimObject: JSONValue {
        var spec: [String: JSONValue] = [
            "accessModes": sourceClaim[path: "spec", "accessModes"] ?? ["ReadWriteOnce"],
            "resources": [
                "requests": [
                    "storage": sourceClaim[path: "status", "capacity"]?["storage"]
                        ?? sourceClaim[path: "spec", "resources", "requests", "storage"] ?? "1Gi"
                ]
            ],
        ]
        spec["storageClassName"] = sourceClaim[path: "spec", "storageClassName"]
        return [
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": ["name": .string(claim), "namespace": .string(namespace), "labels": labels],
            "spec": .object(spec),
        ]
    }

    var workloadObject: JSONValue {
        [
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": labels],
            "spec": [
                "replicas": 0, "serviceName": .string(name), "selector": ["matchLabels": labels],
                "template": ["metadata": ["labels": labels], "spec": podSpec],
            ],
        ]
    }

    private var agent: AgentPlace {
        var agent = AgentPlace(source, settings)
        agent.configMap = ObjectNames.configMap(name)
        return agent
    }

    private static let dropped = [
        "initContainers", "containers", "volumes", "affinity", "topologySpreadConstraints", "hostname", "subdomain",
        "hostNetwork", "nodeName", "priorityClassName",
    ]

    private var podSpec: JSONValue {
        var spec = source.pod.object ?? [:]
        for name in Self.dropped { spec[name] = nil }
        spec["affinity"] = NodePin.affinity(source.pod[path: "affinity", "nodeAffinity"], node: nil)
        spec["initContainers"] = [initContainer]
        let kept = keptMounts
        let names = Set(kept.compactMap { $0["name"]?.string })
        spec["containers"] = [container(kept)]
        spec["volumes"] = .array(
            (source.pod["volumes"]?.array ?? []).filter { names.contains($0["name"]?.string ?? "") }
                + [
                    ["name": .string(Self.volume), "persistentVolumeClaim": ["claimName": .string(claim)]]
                ] + agent.volumes())
        return .object(spec)
    }

    /// Brings the agent, and gives the new volume to the server's user: as root where the source's pods show that the
    /// namespace admits it, else `fsGroup` must do.
    private var initContainer: JSONValue {
        let mayBeRoot = ["containers", "initContainers"].contains { list in
            (source.pod[list]?.array ?? []).contains {
                ($0[path: "securityContext", "runAsUser"] ?? source.pod[path: "securityContext", "runAsUser"])?.integer
                    ?? 0 == 0
            }
        }
        let plain = agent.initContainer(
            securityContext: mayBeRoot ? ["runAsUser": 0] : source.container["securityContext"], resources: nil)
        guard mayBeRoot, let user = source.userID, user != 0, case .object(var members) = plain else { return plain }
        let owning: [JSONValue] = ["--own", .string(Self.mountPath), .string("\(user)")]
        members["command"] = .array((plain["command"]?.array ?? []) + owning)
        members["volumeMounts"] = .array(
            (plain["volumeMounts"]?.array ?? []) + [AgentPlace.mount(Self.volume, Self.mountPath)])
        return .object(members)
    }

    /// Configuration and secrets; no claim of the source's.
    private var keptMounts: [JSONValue] {
        let claims = DataMount.claims(source.workload, source.object, source.container)
        return (source.container["volumeMounts"]?.array ?? []).filter { mount in
            claims[mount["name"]?.string ?? ""] == nil
                && !agent.mountPaths.contains(FilePathText.normal(mount["mountPath"]?.string ?? ""))
        }
    }

    private func container(_ kept: [JSONValue]) -> JSONValue {
        var container = source.container.object ?? [:]
        // Probes may insist on a primary, hooks on neighbours; whether it is up, fleet asks itself.
        for name in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] { container[name] = nil }
        for name in ["command", "args"] { container[name] = container[name].map(moved) }
        let variables = (source.container["env"]?.array ?? []).filter { $0["name"]?.string != "PGDATA" }.map(moved)
        container["env"] = .array(variables + [["name": "PGDATA", "value": .string(Self.dataDirectory)]])
        container["volumeMounts"] = .array(
            kept + [AgentPlace.mount(Self.volume, Self.mountPath)] + agent.mounts())
        return .object(container)
    }

    /// A value with the source's data directory replaced by the scratch one's, and archiving off: what stands on the
    /// server's command line is stronger than what a restore writes into postgresql.auto.conf.
    private func moved(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text):
            .string(
                ScratchText.archivingOff(
                    ScratchText.replacing(source.dataDirectory, with: Self.dataDirectory, in: text)))
        case .array(let items): .array(items.map(moved))
        case .object(let members): .object(members.mapValues(moved))
        default: value
        }
    }
}
