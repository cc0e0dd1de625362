import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import KubernetesWorkloads

/// The roles of `deploy/kubernetes` are the least that works, and what is missing is named.
@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct PermissionTests {
    private struct Rule: Codable {
        var apiGroups: [String]
        var resources: [String]
        var verbs: [String]
    }

    private struct Role: Codable {
        var rules: [Rule]
    }

    @Test func withTheRolesThatAreShippedItWorks() async throws {
        try await WorkloadFixture.lend { fixture in
            let objects = try await fixture.surround()
            let before = try await fixture.snapshot(objects)
            try await grant(try await shippedRules(fixture.namespace), in: fixture.namespace)
            let scaler = { runner(fixture) }
            try await fixture.namespace.waitUntil("the account has its rights") { try await scaler().obstacles() == [] }
            let record = try await scaler().quiesce(run: "run-1")
            try await scaler().awaitGone(deadline: .seconds(60))
            try await scaler().resume(record)
            try await scaler().awaitReady(record, deadline: .seconds(60))
            #expect(try await scaler().observe().record == nil)
            #expect(try await fixture.snapshot(objects) == before)
        }
    }

    @Test(.timeLimit(.minutes(10))) func eachVerbThatIsMissingIsNamed() async throws {
        try await WorkloadFixture.lend { fixture in
            _ = try await fixture.surround()
            let rules = try await shippedRules(fixture.namespace)
            for (index, rule) in rules.enumerated() {
                // The end of a log is a help, and StatefulSets are another's.
                for resource in rule.resources where !["pods/log", "statefulsets"].contains(resource) {
                    for verb in rule.verbs {
                        var less = rules
                        less[index].resources.removeAll { $0 == resource }
                        let others = rule.verbs.filter { $0 != verb }
                        less.append(Rule(apiGroups: rule.apiGroups, resources: [resource], verbs: others))
                        less.removeAll { $0.resources.isEmpty || $0.verbs.isEmpty }
                        try await grant(less, in: fixture.namespace)
                        let group = rule.apiGroups[0].isEmpty ? "" : ".\(rule.apiGroups[0])"
                        let sentence = "may not \(verb) \(resource)\(group)"
                        try await fixture.namespace.waitUntil("“\(sentence)” is among the obstacles") {
                            let obstacles = try await runner(fixture).obstacles()
                            // Once for each object that needs it, and nothing else.
                            let account = "\(fixture.namespace.cluster.name)-runner"
                            return !obstacles.isEmpty
                                && obstacles.allSatisfy {
                                    $0.contains(sentence) && $0.contains(account)
                                        && $0.contains("in the namespace \(fixture.namespace.name)")
                                }
                        }
                    }
                }
            }
        }
    }

    @Test func withNothingAllowedNothingIsChanged() async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            let obstacles = try await runner(fixture).obstacles()
            #expect(obstacles.contains { $0.contains("may not get deployments.apps “web”") }, "\(obstacles)")
            try await requireError(.denied, of: "quiescing it") {
                _ = try await runner(fixture).quiesce(run: "run-1")
            }
            #expect(try await fixture.namespace.field(".spec.replicas", of: "deployment/web") == "1")
        }
    }

    private func runner(_ fixture: WorkloadFixture) -> KubernetesWorkload {
        fixture.scaler(
            options: WorkloadFixture.surroundingOptions, kubeconfig: fixture.namespace.cluster.runnerKubeconfig)
    }

    private func shippedRules(_ namespace: BenchNamespace) async throws -> [Rule] {
        let folder = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/deploy/kubernetes"
        var rules: [Rule] = []
        for file in ["applications", "gitops"] {
            let text = try await namespace.kubectl(
                "create", "--dry-run=client", "--output", "json", "--filename", "\(folder)/\(file).yaml")
            rules += try JSONDecoder().decode(Role.self, from: Data(text.utf8)).rules
        }
        return rules
    }

    private func grant(_ rules: [Rule], in namespace: BenchNamespace) async throws {
        let encoder = JSONEncoder()
        // YAML knows no escaped slash.
        encoder.outputFormatting = .withoutEscapingSlashes
        let text = String(decoding: try encoder.encode(rules), as: UTF8.self)
        try await namespace.apply(
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
