import FleetPluginAPI
import FleetTestSupport
import KubernetesClient
import Testing

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct AccessTests {
    @Test func kindsAreFoundInTheVersionThatIsServed() async throws {
        try await withClient { client, _ in
            #expect(try await client.serves(.deployments))
            #expect(try await client.serves(.pods))
            let absent = ResourceKind(
                group: "absent.example", version: "v1", plural: "things", kind: "Thing")
            #expect(try await !client.serves(absent))
            #expect(try await client.preferredVersion(group: "absent.example", plural: "things") == nil)
            let jobs = try await client.preferredVersion(group: "batch", plural: "cronjobs")
            #expect(
                jobs == ResourceKind(group: "batch", version: "v1beta1", plural: "cronjobs", kind: "CronJob"))
            #expect(try await client.preferredVersion(group: "", plural: "namespaces") == .namespaces)
        }
    }

    @Test func missingPermissionsAreNamed() async throws {
        try await withClient { admin, space in
            let runner = try KubernetesClient(
                try await KubernetesConfiguration.load(files: [space.cluster.runnerKubeconfig]))
            let wanted = [
                AccessCheck("patch", .deployments, namespace: space.name),
                AccessCheck("create", .pods, subresource: "exec", namespace: space.name),
                AccessCheck("list", .namespaces),
            ]
            #expect(try await admin.check(wanted).isEmpty)
            #expect(try await runner.check(wanted) == wanted)
            #expect(wanted[0].description == "patch deployments.apps in \(space.name)")
            #expect(wanted[1].description == "create pods/exec in \(space.name)")

            let denied = await failure { _ = try await runner.list(.deployments, namespace: space.name) }
            #expect(denied?.code == .denied)
            let hint = denied?.hint ?? ""
            #expect(hint.contains("“list”") && hint.contains("“deployments”") && hint.contains("“apps”"))
            try await space.kubectl(
                "create", "role", "r", "--verb=list", "--resource=deployments.apps")
            try await space.kubectl("create", "rolebinding", "r", "--role=r", "--group=fleet:runners")
            try await space.waitUntil("the role works") {
                try await runner.check([AccessCheck("list", .deployments, namespace: space.name)]).isEmpty
            }
            #expect(try await runner.list(.deployments, namespace: space.name).items.isEmpty)
        }
    }

    /// Programs in pods need two verbs, and the one that is missing is named.
    @Test func theMissingVerbOfExecIsNamed() async throws {
        try await withClient { _, space in
            let runner = try KubernetesClient(
                try await KubernetesConfiguration.load(files: [space.cluster.runnerKubeconfig]))
            try await space.kubectl("create", "role", "r", "--verb=create", "--resource=pods/exec")
            try await space.kubectl("create", "rolebinding", "r", "--role=r", "--group=fleet:runners")
            let create = AccessCheck("create", .pods, subresource: "exec", namespace: space.name)
            try await space.waitUntil("the role works") { try await runner.check([create]).isEmpty }
            let denied = await failure {
                _ = try await runner.run(pod: "p", namespace: space.name, command: ["true"], deadline: .seconds(10))
            }
            #expect(denied?.code == .denied && denied?.hint?.contains("“get”") == true)
            #expect(denied?.hint?.contains("“pods/exec”") == true)
        }
    }

    @Test func aQuotaIsNoMissingPermission() async throws {
        try await withClient { client, space in
            try await space.kubectl("create", "quota", "q", "--hard=configmaps=0")
            try await space.waitUntil("the quota counts") {
                let error = await failure {
                    try await client.create(configMap("a"), kind: .configMaps, namespace: space.name)
                }
                return error?.code == .denied && error?.hint?.contains("grant") == false
            }
        }
    }
}
