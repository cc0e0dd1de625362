public import KubernetesClient

/// A Deployment or a StatefulSet: what has a number of copies.
public struct WorkloadReference: Hashable, Sendable {
    public var kind: Kind
    public var namespace: String
    public var name: String

    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case deployment = "Deployment"
        case statefulSet = "StatefulSet"

        var resource: ResourceKind {
            switch self {
            case .deployment: .deployments
            case .statefulSet: .statefulSets
            }
        }
    }

    public init(_ kind: Kind, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Where the API server has it.
    public var object: ObjectReference {
        ObjectReference(kind.resource, namespace: namespace, name: name)
    }
}

extension WorkloadReference: CustomStringConvertible {
    /// `Deployment prod/backend`
    public var description: String { "\(kind.rawValue) \(namespace)/\(name)" }
}
