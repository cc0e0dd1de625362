import FoundationEssentials

/// A rule of a Role: every verb on every resource of the groups.
public struct AccessRule: Codable, Sendable {
    public var apiGroups: [String]
    public var resources: [String]
    public var verbs: [String]

    private struct Role: Codable {
        var rules: [AccessRule]
    }

    /// The rules of every ClusterRole in files of `deploy/kubernetes`.
    public static func shipped(_ files: [String], _ namespace: BenchNamespace) async throws -> [AccessRule] {
        let folder = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined() + "/deploy/kubernetes"
        var rules: [AccessRule] = []
        for file in files {
            // One JSON document for each object.
            let text = try await namespace.kubectl(
                "create", "--dry-run=client", "--output", "jsonpath={.rules}{\"\\n\"}", "--filename",
                "\(folder)/\(file).yaml")
            for line in text.split(separator: "\n") {
                rules += try JSONDecoder().decode([AccessRule].self, from: Data(line.utf8))
            }
        }
        return rules
    }
}

extension [AccessRule] {
    /// The same without one verb on one resource, wherever it is granted.
    public func without(_ verb: String, on resource: String) -> [AccessRule] {
        flatMap { rule -> [AccessRule] in
            guard rule.resources.contains(resource) else { return [rule] }
            var others = rule
            others.resources.removeAll { $0 == resource }
            let verbs = rule.verbs.filter { $0 != verb }
            return [others, AccessRule(apiGroups: rule.apiGroups, resources: [resource], verbs: verbs)]
        }.filter { !$0.resources.isEmpty && !$0.verbs.isEmpty }
    }
}

extension BenchNamespace {
    /// Lets the account of `runnerKubeconfig` do this in the namespace, and nothing else.
    public func grant(_ rules: [AccessRule]) async throws {
        let encoder = JSONEncoder()
        // YAML knows no escaped slash.
        encoder.outputFormatting = .withoutEscapingSlashes
        let text = String(decoding: try encoder.encode(rules), as: UTF8.self)
        try await apply(
            """
            ---
            {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: fleet}, rules: \(text)}
            ---
            {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: fleet},
             roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: fleet},
             subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "fleet:runners"}]}
            """)
    }
}
