/// A node of a document's tree.
///
/// Copies share what lies below them, and so do aliases: a node that stands behind an alias keeps the marks of the
/// place where it was written.
public struct YAMLNode: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        /// In the document's order, duplicate keys included; then what merge keys brought in.
        case mapping([YAMLPair])
    }

    public let content: Content
    /// As resolved by the YAML 1.2 core schema, or as written.
    public let tag: YAMLTag
    /// The first character of the node, behind its anchor and tag. An empty value stands where one was expected.
    public let start: YAMLMark
    /// Just behind the node's last character.
    public let end: YAMLMark

    public init(_ content: Content, tag: YAMLTag, start: YAMLMark, end: YAMLMark) {
        self.content = content
        self.tag = tag
        self.start = start
        self.end = end
    }

    public var scalar: YAMLScalar? {
        guard case .scalar(let scalar) = content else { return nil }
        return scalar
    }

    public var sequence: [YAMLNode]? {
        guard case .sequence(let nodes) = content else { return nil }
        return nodes
    }

    public var mapping: [YAMLPair]? {
        guard case .mapping(let pairs) = content else { return nil }
        return pairs
    }

    /// The value of the first pair whose key is this text; nil where there is none or this is no mapping.
    public subscript(key: String) -> YAMLNode? {
        mapping?.first { $0.key.scalar?.text == key }?.value
    }

    public var isNull: Bool { tag == .null }
}

/// A key and its value.
public struct YAMLPair: Hashable, Sendable {
    public let key: YAMLNode
    public let value: YAMLNode

    public init(key: YAMLNode, value: YAMLNode) {
        self.key = key
        self.value = value
    }
}

/// What kind of value a node is.
public enum YAMLTag: Hashable, Sendable {
    case null, bool, int, float, string, sequence, mapping
    /// Any other tag, resolved to its full form: `!local` or `tag:yaml.org,2002:binary`.
    case other(String)
}
