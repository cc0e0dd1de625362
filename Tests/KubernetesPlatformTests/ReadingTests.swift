import FleetPluginAPI
import KubernetesClient
import Testing

@testable import KubernetesPlatform

/// How tasks and servers stand, from objects that a bench cannot be made to show.
struct ReadingTests {
    private static let now = Timestamp(rfc3339: "2026-01-01T10:10:00Z") ?? Timestamp(microseconds: 0)

    private func job(_ conditions: String = "[]") throws -> JSONValue {
        try Samples.json(
            #"{"metadata": {"creationTimestamp": "2026-01-01T10:00:00Z"}, "status": {"conditions": \#(conditions)}}"#)
    }

    private func pod(_ status: String, extra: String = "") throws -> PodView {
        PodView(object: try Samples.json(#"{"metadata": {"name": "p"\#(extra)}, "status": \#(status)}"#))
    }

    private func read(_ job: JSONValue, _ pods: [PodView], patience: Duration = .seconds(3600)) -> JobReading {
        JobReading.read(job, pods: pods, now: Self.now, patience: patience)
    }

    private func end(_ reading: JobReading) -> TaskEnd? {
        guard case .ended(let end) = reading else { return nil }
        return end
    }

    @Test func exitCodesAreTheProgrammes() throws {
        let status = """
            {"phase": "Failed", "containerStatuses": [{"name": "task", "state": {"terminated": {"exitCode": 7,
             "reason": "Error", "startedAt": "2026-01-01T10:00:05Z", "finishedAt": "2026-01-01T10:01:00Z"}}}]}
            """
        let end = end(read(try job(), [try pod(status)]))
        #expect(end?.outcome.exitStatus == 7)
        #expect(end?.note == nil)
        #expect(end?.outcome.startedAt == Timestamp(rfc3339: "2026-01-01T10:00:05Z"))
    }

    @Test func memoryIsNamed() throws {
        let status = """
            {"phase": "Failed", "containerStatuses": [{"name": "task", "state": {"terminated": {"exitCode": 137,
             "reason": "OOMKilled"}}}]}
            """
        #expect(end(read(try job(), [try pod(status)]))?.note?.contains("memory") == true)
    }

    @Test func evictionsAndDeadlinesAreNamed() throws {
        let evicted = try pod(#"{"phase": "Failed", "reason": "Evicted", "message": "low on disk"}"#)
        #expect(end(read(try job(), [evicted]))?.note?.contains("low on disk") == true)
        #expect(end(read(try job(), [evicted]))?.outcome.exitStatus != 0)
        let late = try job(#"[{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]"#)
        #expect(end(read(late, []))?.outcome.exitStatus == 124)
    }

    @Test func aPodThatVanishedIsLost() throws {
        #expect(
            read(try job(#"[{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]"#), []) == .lost)
        #expect(read(try job(#"[{"type": "Complete", "status": "True"}]"#), []) == .lost)
        // A node that does not answer may still run it: nobody may start it elsewhere.
        let unreachable = try pod(
            #"{"phase": "Running", "containerStatuses": [{"name": "task", "state": {"running": {}}}]}"#,
            extra: #", "deletionTimestamp": "2026-01-01T10:05:00Z""#)
        #expect(read(try job(), [unreachable]) == .running)
    }

    @Test func whatDoesNotBeginIsStuckAfterAWhile() throws {
        let pulling = try pod(
            """
            {"phase": "Pending", "initContainerStatuses": [{"name": "fleet-agent",
             "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]}
            """)
        #expect(read(try job(), [pulling]) == .running)
        #expect(read(try job(), [pulling], patience: .seconds(60)) == .stuck("ImagePullBackOff: no such image"))
        let hopeless = try pod(
            #"{"phase": "Pending", "containerStatuses": [{"name": "task", "state": {"waiting": {"reason": "InvalidImageName"}}}]}"#
        )
        #expect(read(try job(), [hopeless]) == .stuck("InvalidImageName"))
    }

    @Test(arguments: [
        ("postgresql.cnpg.io/v1", "Cluster", "CloudNativePG"),
        ("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", "Crunchy PGO"),
        ("acid.zalan.do/v1", "postgresql", "Zalando"), ("pgv2.percona.com/v2", "PerconaPGCluster", "Percona"),
        ("example.org/v1", "Thing", "Thing x"),
    ])
    func operatorsAreRefused(_ version: String, _ kind: String, _ name: String) throws {
        let object = try Samples.json(
            """
            {"metadata": {"ownerReferences": [{"apiVersion": "\(version)", "kind": "\(kind)", "name": "x",
             "controller": true}]}}
            """)
        let error = #expect(throws: FleetError.self) { try OperatorOwner.refuse(object, "orders") }
        #expect(error?.code == .refused)
        #expect(error?.message.contains(name) == true)
        #expect(error?.hint?.isEmpty == false)
    }

    @Test func moreThanOnePodIsRefused() throws {
        guard case .object(var object) = try Samples.statefulSet(), case .object(var spec)? = object["spec"] else {
            return
        }
        spec["replicas"] = 3
        object["spec"] = .object(spec)
        let changed = JSONValue.object(object)
        let error = #expect(throws: FleetError.self) { try Samples.found(changed) }
        #expect(error?.code == .refused)
    }

    @Test(arguments: [
        (#"{"image": "postgres:15"}"#, false), (#"{"image": "postgres:15", "ports": [{"containerPort": 5432}]}"#, true),
        (#"{"image": "r.io:5000/db/postgresql@sha256:1", "ports": [{"containerPort": 5432}]}"#, true),
        (#"{"image": "quay.io/prometheuscommunity/postgres-exporter", "ports": [{"containerPort": 5432}]}"#, false),
        (#"{"image": "bitnami/pgbouncer", "ports": [{"containerPort": 5432}]}"#, false),
        (#"{"image": "own/db:1", "env": [{"name": "PGDATA"}], "volumeMounts": [{"name": "d"}]}"#, true),
        (#"{"image": "own/web:1", "env": [{"name": "PGHOST"}]}"#, false),
    ])
    func serversAreToldFromOthers(_ container: String, _ isServer: Bool) throws {
        #expect(WorkloadGuess.isServer(try Samples.json(container)) == isServer)
    }

    @Test func namesOfObjectsAreNames() throws {
        let long = String(repeating: "k", count: 52)
        #expect(try ObjectNames.job(long, of: Samples.instance()).utf8.count <= 63)
        #expect(throws: FleetError.self) { try ObjectNames.job("UPPER", of: Samples.instance()) }
        #expect(throws: FleetError.self) { try ObjectNames.job(long + "k", of: Samples.instance()) }
        for name in ["orders", "Orders", "a_b", "-x-", String(repeating: "é", count: 90), ""] {
            let dns = ObjectNames.dnsName(name, limit: 52)
            #expect(dns.utf8.count <= 52)
            #expect(dns.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) })
            #expect(ObjectNames.labelValue(name).utf8.count <= 63)
        }
        #expect(ObjectNames.dnsName("orders", limit: 52) == "orders")
        #expect(ObjectNames.dnsName("Orders", limit: 52) != "orders")
    }

    @Test func callsOfTheWrapperAreReadAgain() {
        let call = PodTaskCall(
            deadline: .milliseconds(1500), prepare: ["/data/pg", "/x"], ownedLike: ["/data/pg", "/repo"], owner: "999",
            argv: ["sh", "-c", "--", "--owner"])
        #expect(PodTaskCall(call.arguments) == call)
        #expect(PodTaskCall(["--deadline", "x", "--", "sh"]) == nil)
        #expect(PodTaskCall(["--owner"]) == nil)
        #expect(PodTaskCall(["--owner", "x", "--"]) == nil)
    }
}
