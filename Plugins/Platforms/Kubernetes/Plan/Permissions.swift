import FleetPluginAPI
import KubernetesClient

/// What fleet must be allowed for each kind of work; `deploy/kubernetes` grants the same.
enum Permissions {
    static func needed(
        for work: PlatformWork, _ declared: InstanceDeclaration, _ settings: ClusterSettings
    ) -> [AccessCheck] {
        let namespace = declared.namespace
        var needed = [AccessCheck("get", declared.workload.kind, namespace: namespace)]
        needed += tasks(in: namespace)
        if settings.forwards, declared.instance.connection.host == nil {
            needed += ["get", "create"].map { AccessCheck($0, .pods, subresource: "portforward", namespace: namespace) }
        }
        switch work {
        case .backup, .setAside: break
        case .restore:
            if declared.workload.kind == .podTemplates {
                needed += ["create", "delete"].map { AccessCheck($0, .pods, namespace: namespace) }
            } else {
                needed.append(AccessCheck("patch", declared.workload.kind, namespace: namespace))
            }
            needed.append(AccessCheck("get", .persistentVolumeClaims, namespace: namespace))
            // The exec protocol upgrades a GET; servers since 1.31 ask for create too.
            for verb in ["get", "create"] {
                needed.append(AccessCheck(verb, .pods, subresource: "exec", namespace: namespace))
            }
        case .restoreBeside:
            let scratch = settings.scratchNamespace ?? namespace
            needed += tasks(in: scratch)
            for kind in [ResourceKind.statefulSets, .persistentVolumeClaims] {
                needed += ["get", "create", "delete"].map { AccessCheck($0, kind, namespace: scratch) }
            }
            needed.append(AccessCheck("patch", .statefulSets, namespace: scratch))
            needed.append(AccessCheck("delete", .configMaps, namespace: scratch))
        }
        var seen: Set<AccessCheck> = []
        return needed.filter { seen.insert($0).inserted }
    }

    /// For Jobs, their pods' logs, their Secrets and the agent's configuration.
    private static func tasks(in namespace: String) -> [AccessCheck] {
        ["get", "create", "delete"].map { AccessCheck($0, .jobs, namespace: namespace) }
            + [
                AccessCheck("list", .pods, namespace: namespace),
                AccessCheck("get", .pods, subresource: "log", namespace: namespace),
            ]
            + ["create", "patch", "delete"].map { AccessCheck($0, .secrets, namespace: namespace) }
            + ["create", "patch"].map { AccessCheck($0, .configMaps, namespace: namespace) }
    }
}
