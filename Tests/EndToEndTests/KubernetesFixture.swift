import FleetPluginAPI
import FleetTestSupport
import Foundation

/// The runbook's world: a server in one cluster, applications that use it in both, a repository on a claim that
/// this machine sees too, and the real `fleet` program.
struct KubernetesFixture: Sendable {
    let infra: BenchNamespace
    let dev: BenchNamespace
    let configuration: String
    /// Where this machine has the repository's claim.
    let repository: String
    let engine: Engine
    let server: PostgresWorkload

    /// What makes the backups.
    enum Engine: Sendable {
        /// fleet, with a repository of fleet.yaml.
        case native
        /// The same, reading the server's files.
        case files
        /// pgBackRest of the server's image, with a repository of fleet.yaml.
        case rendered
        /// pgBackRest of the server's image, with a configuration of its own whose `[global]` has these lines, and
        /// further files beside it.
        ///
        /// - Parameter options: of the engine in fleet.yaml: `, retention: fleet`.
        case pgbackrest(global: [String], files: [String: String] = [:], options: String = "")

        /// Its repository on a claim.
        static let claim = Engine.pgbackrest(global: ["repo1-path=/repo"])

        /// Whether it has a configuration and repositories of its own, which fleet.yaml does not describe.
        var keepsItsOwn: Bool {
            if case .pgbackrest = self { return true }
            return false
        }

        /// In fleet.yaml.
        fileprivate var use: String {
            switch self {
            case .native: "{plugin: native}"
            case .files: "{plugin: native, read: files}"
            case .rendered: "{plugin: pgbackrest}"
            case .pgbackrest(_, _, let options): "{plugin: pgbackrest, stanza: main\(options)}"
            }
        }
    }

    /// Starts all of it, archiving from the server's pod.
    static func lend<Result>(
        _ engine: Engine = .native, kind: PostgresWorkload.Kind = .statefulSet, rollout: String = "{}",
        _ body: (KubernetesFixture) async throws -> Result
    ) async throws -> Result {
        try await withNamespace("platform", on: .prod) { infra in
            try await withNamespace("platform", on: .dev) { dev in
                let fixture = try await make(infra, dev, engine, kind, rollout)
                try await fixture.letArchive()
                return try await body(fixture)
            }
        }
    }

    private static func make(
        _ infra: BenchNamespace, _ dev: BenchNamespace, _ engine: Engine, _ kind: PostgresWorkload.Kind,
        _ rollout: String
    ) async throws -> KubernetesFixture {
        let image = try await infra.bench.agentImage()
        let repository = try await infra.sharedVolume("repository")
        var server = PostgresWorkload(bench: infra.bench)
        server.kind = kind
        if case .pgbackrest(let global, let files, _) = engine {
            server.claims = ["repository": "/repo"]
            server.configMaps = ["pgbackrest-config": "/etc/pgbackrest"]
            try await infra.apply(pgBackRestConfiguration(global, files))
        }
        server.settings = ["archive_mode": "on", "wal_level": "replica", "archive_command": "false"]
        try await infra.apply(server.manifest)
        for namespace in [infra, dev] {
            try await namespace.apply(
                Manifest.web(
                    "backend", replicas: namespace.name == dev.name ? 2 : 3, gracePeriod: 1, bench: infra.bench))
        }
        func cluster(_ name: String) -> String {
            """
            {environment: \(name), platform: {plugin: kubernetes, kubeconfig: \(infra.bench.mergedKubeconfig), \
            context: \(name), agentImage: "\(image)"}}
            """
        }
        let text = """
            apiVersion: fleet/v1
            kind: Fleet
            state: {sqlite: state/fleet.db}
            clusters:
              dev: \(cluster("dev"))
              prod: \(cluster("prod"))
            repositories:
              local: {storage: {plugin: directory, path: \(repository)}}
            instances:
              orders:
                cluster: prod
                platform:
                  namespace: \(infra.name)
                  workload: \(server.reference)
                  dataDirectory: /data/pg
                  repositoryVolumes: {\(engine.keepsItsOwn ? "/repo" : repository): repository}
                engine: \(engine.use)
            \(engine.keepsItsOwn ? "" : "    repositories: [local]")
            applications:
              backend-dev:
                cluster: dev
                uses: [orders]
                scaler: {plugin: deployment, namespace: \(dev.name), name: backend}
              backend-prod:
                cluster: prod
                uses: [orders]
                scaler: {plugin: deployment, namespace: \(infra.name), name: backend}
            rollout: \(rollout)
            """
        let configuration = try infra.scratch.write(text, to: "fleet.yaml")
        let fixture = KubernetesFixture(
            infra: infra, dev: dev, configuration: configuration, repository: repository, engine: engine,
            server: server)
        try await fixture.rollOut()
        try await infra.waitForRollout("deployment/backend")
        try await dev.waitForRollout("deployment/backend")
        return fixture
    }

    /// Waits for the server's pod as its template is now; where nothing makes pods of the template, makes it.
    private func rollOut() async throws {
        guard server.kind == .podTemplate else { return try await infra.waitForRollout(server.reference) }
        try await infra.kubectl("delete", "pod/postgres", "--ignore-not-found")
        let text = try await infra.kubectl("get", server.reference, "--output", "json")
        let object = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        let pod: JSONValue = [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": "postgres", "labels": object["template"]?["metadata"]?["labels"] ?? .null,
            ],
            "spec": object["template"]?["spec"] ?? .null,
        ]
        try await infra.apply(String(decoding: try JSONEncoder().encode(pod), as: UTF8.self))
        try await infra.kubectl("wait", "--for=condition=Ready", "pod/postgres", "--timeout=90s")
    }

    /// Its pod, as `kubectl exec` takes it.
    private var serverPod: String {
        switch server.kind {
        case .statefulSet: "postgres-0"
        case .deployment: "deployment/postgres"
        case .podTemplate: "postgres"
        }
    }

    /// As a user does it: the setting goes into the server's configuration, the patch onto its workload.
    private func letArchive() async throws {
        let answer = try await json("instances", "archiving", "orders")
        guard let command = answer["archiveCommand"]?.string else {
            throw FixtureError("no archiveCommand in \(answer)")
        }
        _ = try await sql("alter system set archive_command = '\(command.replacing("'", with: "''"))'")
        if engine.keepsItsOwn {
            // pgBackRest is in the server's image: its pod needs nothing of fleet's.
            try await pgBackRest("stanza-create").checked()
            _ = try await sql("select pg_reload_conf()")
            return
        }
        guard let patch = answer["patch"]?.string else { throw FixtureError("no patch in \(answer)") }
        let file = try infra.scratch.write(patch, to: "patch.yaml")
        try await infra.kubectl("patch", server.reference, "--patch-file", file)
        try await rollOut()
    }

    /// A ConfigMap as teams have it. The socket that it names is the server's own, which no other pod sees.
    private static func pgBackRestConfiguration(_ global: [String], _ files: [String: String]) -> String {
        let main = """
            [global]
            \(global.joined(separator: "\n"))
            start-fast=y
            archive-timeout=30
            log-level-file=off

            [main]
            pg1-path=/data/pg
            pg1-socket-path=/run/postgresql
            """
        let data = files.merging(["pgbackrest.conf": main]) { $1 }.sorted { $0.key < $1.key }.map { name, text in
            "  \(name): |\n" + text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        }
        return """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: pgbackrest-config}
            data:
            \(data.joined(separator: "\n"))
            """
    }

    /// pgBackRest in the server's pod.
    func pgBackRest(_ arguments: String...) async throws -> ToolResult {
        try await infra.execInPod(serverPod, container: "postgres", ["pgbackrest", "--stanza=main"] + arguments)
    }

    func sql(_ query: String) async throws -> String { try await infra.sql(query, in: serverPod) }

    /// The server's clock, a moment ago: nothing that is done from now on was committed by then.
    func now() async throws -> String {
        let time = try await sql(
            "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ')")
        try await Task.sleep(for: .milliseconds(50))
        return time
    }

    func fleet(_ arguments: [String]) async throws -> ToolResult {
        try await runTool([FleetFixture.binary, "--config", configuration] + arguments)
    }

    func fleet(_ arguments: String...) async throws -> ToolResult { try await fleet(arguments) }

    func json(_ arguments: String...) async throws -> JSONValue {
        let result = try await fleet(["-o", "json"] + arguments).checked()
        return try JSONDecoder().decode(JSONValue.self, from: Data(result.output))
    }

    func launch(_ arguments: String...) async throws -> RunningFleet {
        try await RunningFleet(
            [FleetFixture.binary] + arguments + ["--verbose", "--config", configuration], in: infra.scratch)
    }

    /// Copies wanted and annotations of every workload: what must be after a run what it was before.
    func workloads() async throws -> [String] {
        var all: [String] = []
        for (namespace, object) in [
            (infra, server.reference), (infra, "deployment/backend"), (dev, "deployment/backend"),
        ] {
            let replicas = try await namespace.field(".spec.replicas", of: object)
            let notes = try await namespace.field(".metadata.annotations", of: object)
            all.append("\(object) \(replicas) \(notes)")
        }
        return all
    }
}
