/// A kind of object as an API server serves it.
public struct ResourceKind: Hashable, Sendable {
    /// Empty for the core group.
    public var group: String
    public var version: String
    /// As in paths: `deployments`.
    public var plural: String
    /// As in objects: `Deployment`.
    public var kind: String
    public var isNamespaced: Bool

    public init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// As in objects: `v1`, `apps/v1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// As in messages and RBAC: `pods`, `deployments.apps`.
    public var resource: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

extension ResourceKind: CustomStringConvertible {
    /// `deployments.apps/v1`
    public var description: String { group.isEmpty ? "\(plural)/\(version)" : "\(plural).\(group)/\(version)" }
}

extension ResourceKind: Codable {}

// What every supported API server serves (Kubernetes 1.20 and later), in its stable version.
extension ResourceKind {
    public static let pods = core("pods", "Pod")
    public static let podTemplates = core("podtemplates", "PodTemplate")
    public static let services = core("services", "Service")
    public static let endpoints = core("endpoints", "Endpoints")
    public static let secrets = core("secrets", "Secret")
    public static let configMaps = core("configmaps", "ConfigMap")
    public static let namespaces = core("namespaces", "Namespace", isNamespaced: false)
    public static let nodes = core("nodes", "Node", isNamespaced: false)
    public static let persistentVolumeClaims = core("persistentvolumeclaims", "PersistentVolumeClaim")
    public static let persistentVolumes = core("persistentvolumes", "PersistentVolume", isNamespaced: false)
    public static let events = core("events", "Event")
    public static let serviceAccounts = core("serviceaccounts", "ServiceAccount")
    public static let resourceQuotas = core("resourcequotas", "ResourceQuota")
    public static let deployments = apps("deployments", "Deployment")
    public static let statefulSets = apps("statefulsets", "StatefulSet")
    public static let replicaSets = apps("replicasets", "ReplicaSet")
    public static let daemonSets = apps("daemonsets", "DaemonSet")
    public static let jobs = ResourceKind(group: "batch", version: "v1", plural: "jobs", kind: "Job")
    public static let horizontalPodAutoscalers = ResourceKind(
        group: "autoscaling", version: "v1", plural: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler")
    public static let volumeAttachments = ResourceKind(
        group: "storage.k8s.io", version: "v1", plural: "volumeattachments", kind: "VolumeAttachment",
        isNamespaced: false)
    public static let storageClasses = ResourceKind(
        group: "storage.k8s.io", version: "v1", plural: "storageclasses", kind: "StorageClass", isNamespaced: false)
    public static let customResourceDefinitions = ResourceKind(
        group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions",
        kind: "CustomResourceDefinition", isNamespaced: false)
    public static let roles = rbac("roles", "Role")
    public static let roleBindings = rbac("rolebindings", "RoleBinding")
    public static let clusterRoles = rbac("clusterroles", "ClusterRole", isNamespaced: false)
    public static let clusterRoleBindings = rbac("clusterrolebindings", "ClusterRoleBinding", isNamespaced: false)
    public static let leases = ResourceKind(
        group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease")

    private static func core(_ plural: String, _ kind: String, isNamespaced: Bool = true) -> ResourceKind {
        ResourceKind(group: "", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    private static func apps(_ plural: String, _ kind: String) -> ResourceKind {
        ResourceKind(group: "apps", version: "v1", plural: plural, kind: kind)
    }

    private static func rbac(_ plural: String, _ kind: String, isNamespaced: Bool = true) -> ResourceKind {
        ResourceKind(
            group: "rbac.authorization.k8s.io", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }
}
