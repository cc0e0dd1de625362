internal import FleetPluginAPI
internal import YAML

extension Validator {
    /// Reports what a restore set says of instances that are not its members, and regular expressions that are none.
    mutating func checkRestoreSets() {
        for pair in root["restoreSets"]?.mapping ?? [] {
            guard let name = pair.key.scalar?.text else { continue }
            let set = pair.value
            let path = DocumentPath().key("restoreSets").key(name)
            let members = (set["members"]?.sequence ?? []).compactMap { $0.scalar?.text }
            // Whatever else is wrong with it is said already.
            guard !members.isEmpty else { continue }
            for pair in set["databases"]?.mapping ?? [] {
                checkMember(pair.key, members, path.key("databases"))
            }
            for pair in set["fence"]?["tables"]?.mapping ?? [] {
                checkMember(pair.key, members, path.key("fence").key("tables"))
            }
            for (index, edge) in (set["causality"]?.sequence ?? []).enumerated() {
                for end in ["cause", "effect"] {
                    if let node = edge[end] { checkMember(node, members, path.key("causality").index(index).key(end)) }
                }
            }
            for (index, invariant) in (set["invariants"]?.sequence ?? []).enumerated() {
                checkMembers(in: invariant, members, path.key("invariants").index(index))
            }
            if let node = set["transactions"], let text = node.scalar?.text, (try? Regex(text)) == nil {
                report(
                    Place(mark: node.start, path: path.key("transactions")), "this is no regular expression",
                    "write one with a group, such as ^tx-([0-9]+)-")
            }
        }
    }

    /// Every `member:` below, wherever an invariant has it.
    private mutating func checkMembers(in node: YAMLNode, _ members: [String], _ path: DocumentPath) {
        for pair in node.mapping ?? [] {
            guard let key = pair.key.scalar?.text else { continue }
            if key == "member" {
                checkMember(pair.value, members, path.key(key))
            } else {
                checkMembers(in: pair.value, members, path.key(key))
            }
        }
        for (index, item) in (node.sequence ?? []).enumerated() { checkMembers(in: item, members, path.index(index)) }
    }

    private mutating func checkMember(_ node: YAMLNode, _ members: [String], _ path: DocumentPath) {
        guard let name = node.scalar?.text, !members.contains(name) else { return }
        // One that is no instance is reported as that, where an instance is asked for.
        let isReported = references.contains { $0.place.mark == node.start }
        if isReported, declared[.instances]?.contains(name) != true { return }
        report(
            Place(mark: node.start, path: path), "\(shortened(name)) is no member of this set",
            Suggestion.hint(for: name, among: members, none: "it has no members"))
    }
}
