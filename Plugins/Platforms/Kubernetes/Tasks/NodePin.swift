import FleetPluginAPI

/// Which nodes a Job's pod may run on.
enum NodePin {
    /// The template's own rules for nodes, and this node alone where one is given.
    static func affinity(_ nodeAffinity: JSONValue?, node: String?) -> JSONValue? {
        guard let node else { return nodeAffinity.map { ["nodeAffinity": $0] } }
        let field: JSONValue = ["key": "metadata.name", "operator": "In", "values": [.string(node)]]
        let required = "requiredDuringSchedulingIgnoredDuringExecution"
        let terms = nodeAffinity?[required]?["nodeSelectorTerms"]?.array ?? [.object([:])]
        let pinned = terms.map { term -> JSONValue in
            var members = term.object ?? [:]
            members["matchFields"] = .array((members["matchFields"]?.array ?? []) + [field])
            return .object(members)
        }
        return ["nodeAffinity": .object([required: ["nodeSelectorTerms": .array(pinned)]])]
    }
}
