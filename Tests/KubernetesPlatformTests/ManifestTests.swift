import FleetPluginAPI
import FoundationEssentials
import KubernetesClient
import Testing

@testable import KubernetesPlatform

struct ManifestTests {
    private func job(_ mounts: JobManifest.Mounts, _ options: [String: JSONValue] = [:], node: String? = nil) throws
        -> JSONValue
    {
        let instance = try Samples.found(Samples.statefulSet(), options)
        let settings = try #require(Samples.settings)
        let call = PodTaskCall(
            deadline: .seconds(60), ownedLike: [instance.dataDirectory], owner: instance.owner,
            argv: ["/fleet/bin/fleet", "agent", "restore", "$(HOME)", "kill $$ $x"])
        return JobManifest(
            instance: instance, settings: settings, name: "job", key: "key", purpose: "restore", call: call,
            environment: ["GREETING": "$(TOKEN)"], secrets: ["TOKEN"], mounts: mounts, node: node
        ).object
    }

    @Test func theInstanceIsUnderstood() throws {
        let instance = try Samples.found(Samples.statefulSet())
        #expect(instance.containerName == "db")
        #expect(instance.dataDirectory == "/var/lib/postgresql/data/pgdata")
        #expect(instance.data.claim == "data-postgres-0")
        #expect(instance.data.pathInVolume == "pg/pgdata")
        #expect(instance.owner == "999")
        #expect(instance.port == 5432)
    }

    @Test func aTaskRunsAsTheServerWould() throws {
        let spec = try #require(try job(.data)[path: "spec", "template", "spec"])
        #expect(spec["serviceAccountName"] == "postgres")
        #expect(spec["nodeSelector"] == ["disk": "fast"])
        #expect(spec["securityContext"] == ["fsGroup": 999])
        #expect(spec["imagePullSecrets"] == [["name": "registry"]])
        #expect(spec["restartPolicy"] == "Never")
        #expect(spec["automountServiceAccountToken"] == .bool(false))
        #expect(spec["affinity"] == ["nodeAffinity": ["preferred": 1]])
        #expect(spec["initContainers"]?.array?.compactMap { $0["name"]?.string } == ["fleet-agent"])
        let containers = try #require(spec["containers"]?.array)
        #expect(containers.count == 1)
        #expect(containers[0]["image"] == "postgres:15.4")
        #expect(containers[0]["livenessProbe"] == nil)
        #expect(containers[0]["securityContext"] == ["runAsUser": 999])
        #expect(containers[0]["envFrom"] == [["secretRef": ["name": "pg"]]])
        let volumes = spec["volumes"]?.array?.compactMap { $0["name"]?.string } ?? []
        #expect(volumes == ["conf", "data", "fleet-agent", "fleet-configuration"])
    }

    @Test func nothingIsExpandedAndSecretsAreReferences() throws {
        let container = try #require(try job(.none)[path: "spec", "template", "spec", "containers"]?.array?.first)
        let variables = try #require(container["env"]?.array)
        #expect(variables.filter { $0["name"] == "TOKEN" }.count == 1)
        let token = variables.first { $0["name"] == "TOKEN" }
        #expect(token?[path: "valueFrom", "secretKeyRef"] == ["name": "job", "key": "TOKEN"])
        #expect(variables.contains(["name": "GREETING", "value": "$$(TOKEN)"]))
        #expect(container["command"]?.array?.suffix(2) == ["$$(HOME)", "kill $$$$ $$x"])
    }

    @Test func onlyWhatIsNeededIsMounted() throws {
        func mounts(_ job: JSONValue) -> [String] {
            let container = job[path: "spec", "template", "spec", "containers"]?.array?.first
            return container?["volumeMounts"]?.array?.compactMap { $0["mountPath"]?.string } ?? []
        }
        let repository: [String: JSONValue] = ["repositoryVolumes": ["/repository": "repo"]]
        #expect(mounts(try job(.none)) == ["/etc/postgresql", "/fleet", "/fleet-config"])
        #expect(
            mounts(try job(.data, repository)) == [
                "/var/lib/postgresql/data", "/etc/postgresql", "/fleet", "/fleet-config", "/repository",
            ])
        #expect(mounts(try job(.volumeRoot, repository)) == ["/fleet-volume", "/fleet"])
    }

    @Test func aTaskBesideAServerStaysOnItsNode() throws {
        let affinity = try job(.data, node: "node-7")[path: "spec", "template", "spec", "affinity", "nodeAffinity"]
        let terms = affinity?[path: "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"]?.array
        #expect(terms?.count == 1)
        #expect(terms?.first?["matchFields"]?.array?.first?["values"] == ["node-7"])
    }

    @Test func ofManyTermsEachIsPinned() {
        let rules: JSONValue = [
            "requiredDuringSchedulingIgnoredDuringExecution": [
                "nodeSelectorTerms": [["matchExpressions": ["a"]], ["matchExpressions": ["b"]]]
            ]
        ]
        let affinity = NodePin.affinity(rules, node: "n")
        let terms = affinity?[path: "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]?[
            "nodeSelectorTerms"]?.array
        #expect(terms?.count == 2)
        #expect(terms?.allSatisfy { $0["matchFields"] != nil && $0["matchExpressions"] != nil } == true)
    }

    @Test func aScratchPlaceTouchesNothingOfItsSource() throws {
        let source = try Samples.found(Samples.statefulSet())
        let manifest = ScratchManifest(
            source: source, settings: try #require(Samples.settings), name: "orders-drill", namespace: "infra",
            sourceClaim: try Samples.json(
                #"{"spec": {"storageClassName": "fast"}, "status": {"capacity": {"storage": "20Gi"}}}"#))
        let claim = manifest.claimObject
        #expect(claim[path: "spec", "resources", "requests", "storage"] == "20Gi")
        #expect(claim[path: "spec", "storageClassName"] == "fast")
        let template = try #require(manifest.workloadObject[path: "spec", "template"])
        #expect(template[path: "metadata", "labels", "app"] == nil)
        let container = try #require(template[path: "spec", "containers"]?.array?.first)
        #expect(template[path: "spec", "containers"]?.array?.count == 1)
        #expect(container["args"] == ["-c", "archive_mode=off", "-D", "/fleet-scratch/data"])
        #expect(container["env"]?.array?.last == ["name": "PGDATA", "value": "/fleet-scratch/data"])
        #expect(container["livenessProbe"] == nil)
        let volumes = template[path: "spec", "volumes"]?.array ?? []
        #expect(!volumes.contains { $0[path: "persistentVolumeClaim", "claimName"] == "data-postgres-0" })
    }

    @Test(arguments: [
        ("-D /data/pg", "-D /new"), ("/data/pg/PG_VERSION", "/new/PG_VERSION"), ("/data/pgx", "/data/pgx"),
        ("/x/data/pg", "/x/data/pg"), ("/data/pg-old /data/pg", "/data/pg-old /new"), ("'/data/pg'", "'/new'"),
    ])
    func pathsAreReplacedWhole(_ text: String, _ expected: String) {
        #expect(ScratchText.replacing("/data/pg", with: "/new", in: text) == expected)
    }

    @Test(arguments: ["archive_mode=on", "archive_mode=always", "exec postgres -c 'archive_mode=on' -c x=y"])
    func archivingIsOff(_ text: String) {
        #expect(ScratchText.archivingOff(text).contains("archive_mode=off"))
        #expect(!ScratchText.archivingOff(text).contains("=on"))
    }

    /// A claim of the source's that may hold anything is not the copy's, and whoever has his repository there is told.
    @Test func claimsThatACopyDoesNotGetAreNamed() throws {
        let object = try Samples.statefulSet(conf: #""persistentVolumeClaim": {"claimName": "backups"}"#)
        let remarks = try Samples.found(object).claimsLeftBehind
        #expect(remarks.count == 1 && remarks[0].contains("backups") && remarks[0].contains("/etc/postgresql"))
        let named = try Samples.found(object, ["repositoryVolumes": ["/etc/postgresql": "backups"]])
        #expect(named.claimsLeftBehind.isEmpty)
    }
}
