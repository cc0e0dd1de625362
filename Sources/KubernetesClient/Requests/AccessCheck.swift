/// A permission, as RBAC has it.
public struct AccessCheck: Hashable, Sendable, Codable {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    public var verb: String
    /// Empty for the core group.
    public var group: String
    /// In the plural.
    public var resource: String
    /// `exec`, `scale`, `log`.
    public var subresource: String?
    /// Nil: in every namespace, or a kind that has none.
    public var namespace: String?
    /// Nil: any.
    public var name: String?

    public init(
        _ verb: String, group: String = "", resource: String, subresource: String? = nil, namespace: String? = nil,
        name: String? = nil
    ) {
        self.verb = verb
        self.group = group
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
    }

    public init(
        _ verb: String, _ kind: ResourceKind, subresource: String? = nil, namespace: String? = nil, name: String? = nil
    ) {
        self.init(
            verb, group: kind.group, resource: kind.plural, subresource: subresource,
            namespace: kind.isNamespaced ? namespace : nil, name: name)
    }

    /// The resource as roles name it: `pods/exec`.
    public var ruleResource: String { resource + (subresource.map { "/\($0)" } ?? "") }
}

extension AccessCheck: CustomStringConvertible {
    /// `patch deployments.apps backend in prod`
    public var description: String {
        var text = "\(verb) \(resource)\(group.isEmpty ? "" : ".\(group)")\(subresource.map { "/\($0)" } ?? "")"
        if let name { text += " \(name)" }
        if let namespace { text += " in \(namespace)" }
        return text
    }
}
