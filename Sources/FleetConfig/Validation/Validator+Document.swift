internal import FleetPluginAPI
internal import YAML

extension Validator {
    /// Rancher Fleet reads files of the same name (https://fleet.rancher.io/ref-fleet-yaml): says so instead of
    /// finding fault with every line.
    mutating func reportsForeignDocument(_ place: Place) -> Bool {
        let keys = Set((root.mapping ?? []).compactMap { $0.key.scalar?.text })
        let version = root["apiVersion"]?.scalar?.text
        let isRancher =
            version?.hasPrefix("fleet.cattle.io/") == true
            || version == nil && root["kind"] == nil && keys.isDisjoint(with: FleetSchema.root.fields.map(\.name))
                && !keys.isDisjoint(with: [
                    "defaultNamespace", "namespace", "helm", "kustomize", "targetCustomizations", "dependsOn", "diff",
                    "overrideTargets", "targets", "yaml", "paused", "rolloutStrategy", "keepResources", "correctDrift",
                ])
        guard isRancher else { return false }
        report(
            place, "this is a file of Rancher Fleet, which is another program",
            "this fleet's file begins with apiVersion: \(FleetSchema.apiVersion); name it with --config PATH")
        return true
    }

    /// Checks are told apart by name in reports.
    mutating func checkChecks() {
        for (instance, checks) in lists("instances", "checks") {
            checkUnique(checks, "name", DocumentPath().key("instances").key(instance).key("checks"), "a check")
        }
    }

    /// An environment comes back once.
    mutating func checkStages() {
        let stages = root["rollout"]?["stages"]?.sequence ?? []
        checkUnique(stages, "environment", DocumentPath().key("rollout").key("stages"), "a stage for the environment")
    }

    private func lists(_ section: String, _ key: String) -> [(String, [YAMLNode])] {
        (root[section]?.mapping ?? []).compactMap { pair in
            guard let name = pair.key.scalar?.text, let nodes = pair.value[key]?.sequence else { return nil }
            return (name, nodes)
        }
    }

    private mutating func checkUnique(_ nodes: [YAMLNode], _ key: String, _ path: DocumentPath, _ what: String) {
        var seen: Set<String> = []
        for (index, node) in nodes.enumerated() {
            guard let value = node[key], let name = value.scalar?.text, !seen.insert(name).inserted else { continue }
            report(
                Place(mark: value.start, path: path.index(index).key(key)),
                "there is \(what) \(shortened(name)) already")
        }
    }
}
