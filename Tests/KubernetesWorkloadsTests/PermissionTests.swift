import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import KubernetesWorkloads

/// The roles of `deploy/kubernetes` are the least that works, and what is missing is named.
@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct PermissionTests {
    private let files = ["applications", "gitops"]

    @Test func withTheRolesThatAreShippedItWorks() async throws {
        try await WorkloadFixture.lend { fixture in
            let objects = try await fixture.surround()
            let before = try await fixture.snapshot(objects)
            try await fixture.namespace.grant(try await AccessRule.shipped(files, fixture.namespace))
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
            let rules = try await AccessRule.shipped(files, fixture.namespace)
            for rule in rules {
                // The end of a log is a help, and StatefulSets are another's.
                for resource in rule.resources where !["pods/log", "statefulsets"].contains(resource) {
                    for verb in rule.verbs {
                        try await fixture.namespace.grant(rules.without(verb, on: resource))
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
}
