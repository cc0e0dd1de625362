import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import KubernetesPlatform

@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct ServerTests {
    @Test func aServerThatDiesInRecoveryEndsTheWaitWithItsLog() async throws {
        try await PlatformFixture.lend { fixture in
            let platform = try fixture.platform()
            // No checkpoint record to begin from.
            _ = try await fixture.namespace.execInPod(
                "postgres-0",
                [
                    "sh", "-c",
                    "echo 'recovery_target_timeline = 7' >> /data/pg/postgresql.conf; touch /data/pg/recovery.signal; echo \"restore_command = 'false'\" >> /data/pg/postgresql.conf",
                ]
            ).checked()
            try await platform.stop(fixture.instance, mode: .fast, deadline: .seconds(60))
            let begun = ContinuousClock.now
            let error = await #expect(throws: FleetError.self) {
                try await platform.start(fixture.instance, deadline: .seconds(120))
            }
            #expect(error?.code == .failed)
            #expect(error?.cause?.contains("recovery target timeline 7") == true, "\(String(describing: error))")
            #expect(ContinuousClock.now - begun < .seconds(60))
        }
    }

    @Test func aPodThatDoesNotGoIsNamed() async throws {
        try await PlatformFixture.lend { fixture in
            try await fixture.namespace.hold("postgres-0")
            let error = await #expect(throws: FleetError.self) {
                try await fixture.platform().stop(fixture.instance, mode: .fast, deadline: .seconds(8))
            }
            #expect(error?.code == .timedOut)
            #expect(error?.description.contains("postgres-0") == true)
            #expect(try await fixture.platform().observe(fixture.instance).state == .stopping)
            try await fixture.namespace.release("postgres-0")
            try await fixture.platform().stop(fixture.instance, mode: .fast, deadline: .seconds(60))
            #expect(try await fixture.platform().observe(fixture.instance).state == .stopped)
        }
    }

    /// No attacher of a CSI driver is here: the object stands for one that has not come to detach the volume.
    @Test func aVolumeThatIsStillAttachedIsWaitedFor() async throws {
        try await PlatformFixture.lend { fixture in
            let namespace = fixture.namespace
            let volume = try await namespace.field(
                ".spec.volumeName", of: "persistentvolumeclaim/data-postgres-0")
            let node = try await namespace.field(".spec.nodeName", of: "pod/postgres-0")
            try await namespace.apply(
                """
                apiVersion: storage.k8s.io/v1
                kind: VolumeAttachment
                metadata: {name: \(namespace.name)}
                spec:
                  attacher: fleet.test
                  nodeName: \(node)
                  source: {persistentVolumeName: \(volume)}
                """)
            let error = await #expect(throws: FleetError.self) {
                try await fixture.platform().stop(fixture.instance, mode: .fast, deadline: .seconds(20))
            }
            try await namespace.kubectl("delete", "volumeattachment/\(namespace.name)")
            #expect(error?.code == .timedOut && error?.description.contains(volume) == true, "\(error as Any)")
            try await fixture.platform().stop(fixture.instance, mode: .fast, deadline: .seconds(60))
        }
    }

    @Test func whatSomebodyScaledToZeroComesBackAsOne() async throws {
        try await PlatformFixture.lend { fixture in
            try await fixture.scale(0)
            let platform = try fixture.platform()
            try await platform.stop(fixture.instance, mode: .fast, deadline: .seconds(60))
            try await platform.start(fixture.instance, deadline: .seconds(60))
            #expect(try await fixture.namespace.field(".spec.replicas", of: "statefulset/postgres") == "1")
            #expect(
                try await fixture.namespace.field(".metadata.annotations", of: "statefulset/postgres")
                    .contains("fleet.dev") == false)
        }
    }

    @Test func thePatchMakesTheAgentCallable() async throws {
        try await PlatformFixture.lend { fixture in
            var instance = fixture.instance
            _ = try await fixture.namespace.sharedVolume("repository")
            instance.platform.values["repositoryVolumes"] = ["/repository": "repository"]
            let platform = try fixture.platform()
            let agent = try await platform.installAgent("apiVersion: fleet/v1\n", for: instance)
            let integration = try #require(try await platform.integration(of: instance))
            #expect(integration.lack?.contains("the program /fleet") == true, "\(integration.lack ?? "nothing")")
            let file = try fixture.namespace.scratch.write(integration.patch, to: "patch.yaml")
            try await fixture.namespace.kubectl("patch", "statefulset/postgres", "--patch-file", file)
            try await fixture.namespace.waitForRollout("statefulset/postgres")
            let mended = try await platform.integration(of: instance)
            #expect(mended != nil && mended?.lack == nil)
            let version = try await fixture.namespace.execInPod(
                "postgres-0", container: "postgres", [agent.executable, "--version"])
            #expect(version.exitCode == 0)
            let read = try await fixture.namespace.execInPod(
                "postgres-0", container: "postgres", ["sh", "-c", "cat \(agent.configuration); touch /repository/x"])
            #expect(read.text == "apiVersion: fleet/v1\n")
            #expect(read.exitCode == 0)
        }
    }

    @Test func discoveredInstancesCanBeDeclared() async throws {
        try await PlatformFixture.lend { fixture in
            let platform = try fixture.platform(options: ["namespace": .string(fixture.namespace.name)])
            let found = try await platform.discover().filter {
                $0.platform.string("namespace") == fixture.namespace.name
            }
            #expect(found.map(\.suggestedName) == ["postgres"])
            #expect(found.first?.isRunning == true)
            #expect(found.first?.platform.string("workload") == "statefulset/postgres")
        }
    }

    @Test func whatIsMissingIsNamedBeforehand() async throws {
        try await PlatformFixture.lend { fixture in
            #expect(try await fixture.platform().obstacles(to: .backup, of: fixture.instance).isEmpty)
            let runner = try fixture.platform(
                options: ["kubeconfig": .string(fixture.namespace.cluster.runnerKubeconfig)])
            let obstacles = try await runner.obstacles(to: .restore, of: fixture.instance)
            #expect(obstacles.contains { $0.contains("create jobs") })
            #expect(obstacles.contains { $0.contains("patch statefulsets") })
        }
    }

    @Test(.timeLimit(.minutes(10))) func eachVerbThatIsMissingIsNamed() async throws {
        try await PlatformFixture.lend { fixture in
            let rules = try await AccessRule.shipped(["applications", "instances"], fixture.namespace)
            var template = fixture.instance
            template.platform.values["workload"] = "podtemplate/postgres"
            let instances = [fixture.instance, template]
            let runner = try fixture.platform(
                options: [
                    "kubeconfig": .string(fixture.namespace.cluster.runnerKubeconfig), "connect": "forward",
                ])
            let needed = [
                "statefulsets": ["get", "patch", "create", "delete"], "podtemplates": ["get"],
                "pods": ["list", "create", "delete"], "pods/log": ["get"], "pods/exec": ["get", "create"],
                "pods/portforward": ["get", "create"], "persistentvolumeclaims": ["get", "create", "delete"],
                "jobs": ["get", "create", "delete"], "secrets": ["create", "patch", "delete"],
                "configmaps": ["create", "patch", "delete"],
            ]
            for (resource, verbs) in needed.sorted(by: { $0.key < $1.key }) {
                for verb in verbs {
                    try await fixture.namespace.grant(rules.without(verb, on: resource))
                    let wanted = "may not \(verb) \(resource)"
                    try await fixture.namespace.waitUntil("“\(wanted)” is the obstacle") {
                        var found: Set<String> = []
                        for instance in instances {
                            for work in PlatformWork.allCases {
                                found.formUnion(try await runner.obstacles(to: work, of: instance))
                            }
                        }
                        // Where other tests have defined their kinds, GitOps needs a role of its own; and there is no
                        // such PodTemplate.
                        let missing = found.filter {
                            $0.contains("may not") && !$0.contains("argoproj") && !$0.contains("fluxcd")
                        }
                        return !missing.isEmpty && missing.allSatisfy { $0.contains(wanted) }
                    }
                }
            }
        }
    }

    @Test func theRolesAreEnough() async throws {
        try await PlatformFixture.lend { fixture in
            let namespace = fixture.namespace
            let folder = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/deploy/kubernetes"
            for file in ["applications.yaml", "instances.yaml"] {
                try await namespace.cluster.kubectl("apply", "-f", "\(folder)/\(file)")
            }
            for role in ["fleet-applications", "fleet-instances", "fleet-scratch"] {
                try await namespace.kubectl(
                    "create", "rolebinding", role, "--clusterrole", role, "--group", "fleet:runners")
            }
            let platform = try fixture.platform(
                options: ["kubeconfig": .string(namespace.cluster.runnerKubeconfig), "connect": "forward"])
            for work in PlatformWork.allCases {
                // Where other tests have defined their kinds, GitOps needs a role in a namespace that is not there.
                let obstacles = try await platform.obstacles(to: work, of: fixture.instance).filter {
                    !$0.contains("argoproj") && !$0.contains("fluxcd")
                }
                #expect(obstacles.isEmpty, "\(obstacles)")
            }
            #expect(try await platform.observe(fixture.instance).control != nil)
            #expect(try await fixture.canConnect(platform.endpoint(of: fixture.instance)))
            _ = try await platform.installAgent("apiVersion: fleet/v1\n", for: fixture.instance)
            var task = fixture.task("allowed", #"test -n "$TOKEN""#)
            task.secrets = ["TOKEN": .environment("TOKEN")]
            try await platform.launch(task, for: fixture.instance)
            #expect(try await fixture.finish("allowed", platform).exitStatus == 0)
            try await platform.forgetTask("allowed", of: fixture.instance)
            let request = ScratchRequest(
                name: "orders-copy", source: fixture.instance, place: nil, majorVersion: "15", tablespaces: [])
            let place = try await platform.makeScratch(request)
            #expect(try await platform.observe(place.instance).state == .absent)
            try await platform.removeScratch(request)
        }
    }
}
