/// What a document may cost at most. Whatever goes beyond is refused at the place where it does.
public struct YAMLLimits: Hashable, Sendable {
    /// The document's size.
    public var bytes: Int
    /// Collections within collections, aliases followed. Whoever walks a tree may recurse so deep.
    public var depth: Int
    /// Nodes, keys included; what stands behind an alias counts each time it is used.
    public var nodes: Int

    public init(bytes: Int = 16 << 20, depth: Int = 64, nodes: Int = 1_000_000) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
    }

    /// `%TAG` directives: libyaml compares each with all before it.
    static let tagDirectives = 100
}
