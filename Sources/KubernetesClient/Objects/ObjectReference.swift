/// An object's place in a cluster.
public struct ObjectReference: Hashable, Sendable, Codable {
    public var kind: ResourceKind
    /// Nil for kinds that have no namespace.
    public var namespace: String?
    public var name: String

    public init(_ kind: ResourceKind, namespace: String? = nil, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }
}

extension ObjectReference: CustomStringConvertible {
    /// `deployments.apps prod/backend`
    public var description: String { "\(kind.resource) " + (namespace.map { "\($0)/" } ?? "") + name }
}
