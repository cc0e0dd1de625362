import FoundationEssentials
import Testing

@testable import FleetTestSupport

@Suite(.enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct KubernetesBenchTests {
    let bench: KubernetesBench

    init() throws {
        bench = try .find()
    }

    @Test(arguments: BenchCluster.Name.allCases)
    func aServerOfATestsOwnRunsAndIsReachable(on cluster: BenchCluster.Name) async throws {
        try await withNamespace("bench", on: cluster) { namespace in
            let repository = try await namespace.sharedVolume("repository")
            var server = PostgresWorkload("pg", bench: bench)
            server.claims = ["repository": "/repository"]
            server.settings = ["archive_mode": "on", "archive_command": "cp '%p' /repository/%f", "work_mem": "5MB"]
            server.commandLine = ["cluster_name": "it's ours"]
            server.sidecars = ["beside": ["sh", "-c", "echo beside $PPID; sleep 1000"]]
            try await namespace.apply(server.manifest)
            try await namespace.waitForRollout("statefulset/pg")

            let shown = "select current_setting('work_mem'), current_setting('cluster_name'), pg_is_in_recovery()"
            #expect(try await namespace.sql(shown, in: "pg-0") == "5MB|it's ours|f")
            _ = try await namespace.sql("create table t (); select pg_switch_wal()", in: "pg-0")
            try await namespace.waitUntil("WAL is in the test's own directory") {
                try FileManager.default.contentsOfDirectory(atPath: repository).contains { $0.hasPrefix("0000") }
            }
            let address = try await namespace.podAddress("pg-0")
            let client = try await PostgresInstallation.standard()
            let url = "host=\(address) user=postgres connect_timeout=10"
            #expect(try await client.run("psql", ["-XAtc", "select 42", url]).checked().text == "42\n")
            #expect(try await namespace.podLogs("pg-0", container: "beside").hasPrefix("beside"))
        }
    }

    @Test func execTellsExitCodesStreamsAndInput() async throws {
        try await withNamespace("bench") { namespace in
            try await namespace.apply(Manifest.web(replicas: 1, bench: bench))
            try await namespace.waitForRollout("deployment/web")
            let pod = try #require(try await namespace.podNames("app=web").first)
            let failed = try await namespace.execInPod(pod, ["sh", "-c", "echo out; echo err >&2; exit 3"])
            #expect(failed.exitCode == 3 && failed.text == "out\n" && failed.errors.hasPrefix("err\n"))
            let read = try await namespace.execInPod(pod, ["tr", "a-z", "A-Z"], input: "input").checked()
            #expect(read.text == "INPUT")
        }
    }

    @Test func fleetRunsInAContainerThatHasNothingOfIt() async throws {
        let agent = try await bench.agentImage()
        try await withNamespace("bench") { namespace in
            var server = PostgresWorkload("pg", bench: bench)
            server.agentImage = agent
            try await namespace.apply(server.manifest)
            try await namespace.waitForRollout("statefulset/pg")
            let version = try await namespace.execInPod(
                "pg-0", container: "postgres", ["/fleet/bin/fleet", "--version"])
            let here = try await runTool([try BuiltProgram.path("fleet"), "--version"]).checked().text
            #expect(try version.checked().text == here)
            // Nothing of the container's own: not even where it offers the same libraries.
            let loader = "/fleet/lib/ld-linux-*.so.* --list /fleet/bin/fleet | grep '=>' | grep -vc '=> /fleet/'"
            let foreign = try await namespace.execInPod("pg-0", container: "postgres", ["sh", "-c", loader])
            #expect(foreign.text == "0\n")
        }
    }

    @Test func anAutoscalerFightsAndACronJobCanBeSuspended() async throws {
        try await withNamespace("bench", on: .prod) { namespace in
            try await namespace.apply(Manifest.web("app", replicas: 1, bench: bench))
            try await namespace.apply(Manifest.autoscaler("app", of: "app", minimum: 2, maximum: 3))
            try await namespace.apply(Manifest.cronJob("nightly", suspended: true, bench: bench))
            try await namespace.waitUntil("the autoscaler keeps its minimum") {
                try await namespace.field(".spec.replicas", of: "deployment/app") == "2"
            }
            try await namespace.kubectl("scale", "deployment/app", "--replicas=5")
            try await namespace.waitUntil("the autoscaler keeps its maximum") {
                try await namespace.field(".spec.replicas", of: "deployment/app") == "3"
            }
            #expect(try await namespace.field(".spec.suspend", of: "cronjob/nightly") == "true")
        }
    }

    @Test func aHeldPodStaysTerminatingAndTheNamespaceGoesAllTheSame() async throws {
        let name = try await withNamespace("bench") { namespace in
            try await namespace.apply(Manifest.web(replicas: 1, gracePeriod: 1, bench: bench))
            try await namespace.waitForRollout("deployment/web")
            let pod = try #require(try await namespace.podNames("app=web").first)
            try await namespace.hold(pod)
            try await namespace.kubectl("scale", "deployment/web", "--replicas=0")
            try await namespace.waitUntil("its deletion has begun") {
                try await !namespace.field(".metadata.deletionTimestamp", of: "pod/\(pod)").isEmpty
            }
            try await Task.sleep(for: .seconds(4))
            #expect(try await namespace.podNames("app=web") == [pod])
            return namespace.name
        }
        #expect(try await bench.dev.kubectl("get", "namespace", name, "--ignore-not-found") == "")
    }

    @Test func theRunnerMayDoWhatItsRoleSaysAndNoMore() async throws {
        try await withNamespace("bench") { namespace in
            let cluster = namespace.cluster
            func may(_ verb: String, _ resource: String) async throws -> Bool {
                let asked = ["auth", "can-i", verb, resource, "--kubeconfig", cluster.runnerKubeconfig]
                return try await namespace.run(asked).text == "yes\n"
            }
            #expect(try await may("patch", "deployments.apps") == false)
            try await namespace.admitRunner()
            try await namespace.waitUntil("the role is known") { try await may("patch", "deployments.apps") }
            #expect(try await may("create", "jobs.batch"))
            #expect(try await may("get", "secrets") == false)
            #expect(try await may("delete", "pods") == false)
        }
    }
}

@Suite struct KubernetesBenchPlaceTests {
    @Test func itIsFoundWhereTheScriptsPutIt() {
        #expect(KubernetesBench.directory(["HOME": "/h"]) == "/h/.cache/fleet/kubernetes/run")
        #expect(KubernetesBench.directory(["HOME": "/h", "XDG_CACHE_HOME": "/c"]) == "/c/fleet/kubernetes/run")
        #expect(KubernetesBench.directory(["HOME": "/h", "FLEET_KUBERNETES_CACHE": "/k"]) == "/k/run")
        #expect(KubernetesBench.directory(["FLEET_KUBERNETES_BENCH": "/b", "FLEET_KUBERNETES_CACHE": "/k"]) == "/b")
    }
}
