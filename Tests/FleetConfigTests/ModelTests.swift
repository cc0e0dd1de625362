import FleetConfig
import FleetPluginAPI
import Testing

/// The sketch of the design, its ellipses filled in.
let design = """
    apiVersion: fleet/v1
    kind: Fleet
    state: {sqlite: .fleet/state.db}
    clusters:
      dev:  {environment: dev,  platform: {plugin: host}}
      prod: {environment: prod, platform: {plugin: kubernetes, kubeconfig: ~/.kube/config, context: prod}}
    repositories:
      local:   {storage: {plugin: directory, path: .fleet/repository}}
      offsite: {storage: {plugin: s3, endpoint: "https://s3.example", bucket: b, region: eu, accessKey: {env: S3_KEY}, secretKey: {env: S3_SECRET}}, encryption: {passphrase: {file: keys/offsite}}}
    policies:
      gold: {schedule: {full: "0 2 * * *", diff: "0 */6 * * *"}, retention: {full: 4, diff: 2, window: 30d}, rpo: 15m, rto: 30m, drill: {every: 30d}}
    instances:
      orders:
        cluster: prod
        policy: gold
        platform: {statefulSet: infra/postgres}
        engine: {plugin: pgbackrest, stanza: postgres}
        repositories: [offsite]
        checks: [{name: orders exist, sql: "select count(*) from orders", database: shop, atLeast: 1}]
      billing:
        cluster: dev
        platform: {dataDirectory: ./billing}
        engine: {plugin: native}
        repositories: [local, offsite]
        connection: {user: fleet, database: billing, password: {file: ~/pw}, host: db, port: 5433, sslMode: require, sslRootCertificate: ca.pem}
        checks:
          - {name: open, sql: select true, equals: true}
          - {name: few, sql: select 1, atMost: 2.5}
          - {name: some, sql: select 1, equals: 1}
          - {name: alive, sql: select 1}
        labels: {team: billing, tier: "1"}
    applications:
      backend-prod:
        cluster: prod
        uses: [orders, billing]
        scaler: {plugin: deployment, namespace: prod, name: backend}
        probes: [{plugin: http, url: "http://backend/health"}]
      worker:
        cluster: dev
        uses: [billing]
        after: [backend-prod]
        scaler: {plugin: process, command: [run, worker], environment: {PORT: 80, V: 1.10, ON: True}, extra: [1, {a: b}]}
    restoreSets:
      shop: {members: [orders, billing], databases: {orders: shop}, fence: {tables: {orders: [orders], billing: [payments]}}, causality: [{cause: orders, effect: billing}], invariants: [{name: paid orders exist, subset: {keys: {member: billing, sql: select id from payments}, within: {member: orders, sql: select id from orders}}}]}
    rollout:
      stages:
        - {environment: dev, soak: 5m, deadline: 2h, maxFailures: 1, probes: [{plugin: http, url: "http://m/q"}]}
        - {environment: prod, approval: required, approvalBy: another, approvalExpires: 8h}
      parallel: 8
      parallelPerCluster: 4
    alerts: {failedBackups: 3, noBackupFor: 24h, walLag: 10m, repositoryUse: 75%}
    notifiers:
      hook: {plugin: webhook, url: "https://hooks.example/x"}
    """

@Suite struct ModelTests {
    @Test func readsTheDesign() throws {
        let fleet = try load(design)
        #expect(fleet.path == "/etc/fleet/fleet.yaml")
        #expect(fleet.source == Array(design.utf8))
        #expect(fleet.state.sqlite == "/etc/fleet/.fleet/state.db")
        #expect(fleet.clusters["prod"]?.environment == "prod")
        #expect(
            fleet.clusters["prod"]?.platform
                == PluginUse(
                    plugin: "kubernetes",
                    options: PluginOptions(["kubeconfig": "/home/ann/.kube/config", "context": "prod"])))
        #expect(fleet.repositories["local"]?.storage.options.string("path") == "/etc/fleet/.fleet/repository")
        #expect(fleet.repositories["local"]?.secret == nil)
        let offsite = try #require(fleet.repositories["offsite"])
        #expect(offsite.secret == .passphrase(.file("/etc/fleet/keys/offsite")))
        #expect(offsite.storage.options.secret("accessKey") == .environment("S3_KEY"))
        #expect(offsite.storage.options.size("partSize") == 16 << 20, "defaults are filled in")
        #expect(offsite.storage.options.bool("pathStyle") == false)
    }

    @Test func readsPolicies() throws {
        let fleet = try load(design)
        let gold = try #require(fleet.policies["gold"])
        #expect(gold.schedule.mapValues(\.text) == [.full: "0 2 * * *", .diff: "0 */6 * * *"])
        #expect(gold.retention == Retention(full: 4, diff: 2, window: .seconds(30 * 86_400)))
        #expect(gold.rpo == .seconds(900))
        #expect(gold.rto == .seconds(1800))
        #expect(gold.drillEvery == .seconds(30 * 86_400))
        #expect(
            fleet.rollout.stages == [
                .init(
                    environment: "dev", soak: .seconds(300), probes: fleet.rollout.stages[0].probes, maxFailures: 1,
                    deadline: .seconds(7200)),
                .init(
                    environment: "prod", requiresApproval: true, approvedByAnother: true,
                    approvalExpires: .seconds(8 * 3600)),
            ])
        #expect(fleet.rollout.stages[0].probes.map(\.plugin) == ["http"])
        #expect(fleet.rollout.parallel == 8 && fleet.rollout.parallelPerCluster == 4)
        #expect(
            fleet.alerts
                == AlertThresholds(
                    failedBackups: 3, noBackupFor: .seconds(86_400), walLag: .seconds(600), repositoryUse: 75))
        #expect(
            fleet.restoreSets["shop"]
                == RestoreSetDeclaration(
                    members: ["orders", "billing"], databases: ["orders": "shop"],
                    fence: .init(tables: ["orders": ["orders"], "billing": ["payments"]]),
                    causality: [.init(cause: "orders", effect: "billing")],
                    invariants: [
                        Invariant(
                            name: "paid orders exist",
                            rule: .subset(
                                .init(member: "billing", database: "postgres", sql: "select id from payments"),
                                within: .init(member: "orders", database: "shop", sql: "select id from orders")))
                    ]))
        #expect(fleet.notifiers["hook"]?.plugin == "webhook")
    }

    @Test func readsInstancesAndApplications() throws {
        let fleet = try load(design)
        let orders = try #require(fleet.instances["orders"])
        #expect(orders.policy == "gold")
        #expect(orders.platform.string("statefulSet") == "infra/postgres")
        #expect(orders.engine == PluginUse(plugin: "pgbackrest", options: PluginOptions(["stanza": "postgres"])))
        #expect(
            orders.checks == [
                DataCheck(
                    name: "orders exist", database: "shop", sql: "select count(*) from orders", expectation: .atLeast(1)
                )
            ])
        let billing = try #require(fleet.instances["billing"])
        #expect(billing.platform.string("dataDirectory") == "/etc/fleet/billing")
        #expect(billing.platform.duration("stopTimeout") == .seconds(60))
        #expect(billing.repositories == ["local", "offsite"])
        #expect(billing.engine.options.integer("compression") == 3)
        #expect(
            billing.connection
                == ConnectionOptions(
                    host: "db", port: 5433, user: "fleet", database: "billing", password: .file("/home/ann/pw"),
                    sslMode: "require", sslRootCertificate: "/etc/fleet/ca.pem"))
        #expect(billing.checks.map(\.expectation) == [.equals("t"), .atMost(2.5), .equals("1"), .succeeds])
        #expect(billing.checks.map(\.database) == Array(repeating: "postgres", count: 4))
        #expect(billing.labels == ["team": "billing", "tier": "1"])
        let worker = try #require(fleet.applications["worker"])
        #expect(worker.after == ["backend-prod"])
        #expect(worker.scaler.options.strings("command") == ["run", "worker"])
        #expect(worker.scaler.options.stringMap("environment") == ["PORT": "80", "V": "1.10", "ON": "True"])
        #expect(worker.scaler.options.values["extra"] == [1, ["a": "b"]])
        #expect(fleet.applications["backend-prod"]?.probes.first?.options.string("url") == "http://backend/health")
    }

    @Test func emptySectionsAreNothing() throws {
        let fleet = try load(header + "clusters:\npolicies: {}\nrollout:\nalerts:\nx-free: [1]\n")
        #expect(fleet.clusters.isEmpty)
        #expect(fleet.state.sqlite == "/etc/fleet/.fleet/state.db")
        #expect(fleet.alerts == AlertThresholds())
    }

    @Test func anchorsAndMergeKeysWork() throws {
        let text = try valid(
            (
                "clusters:\n",
                "x-base: &base {cluster: prod, engine: {plugin: native}, repositories: [local]}\nclusters:\n"
            ),
            ("instances:\n", "instances:\n  second: {<<: *base, platform: {dataDirectory: /second}}\n"))
        #expect(try load(text).instances["second"]?.engine.plugin == "native")
    }

    @Test(arguments: ["orders", "billing"])
    func extractsOneInstance(_ name: String) throws {
        let fleet = try load(design)
        let text = try fleet.extract(instance: name)
        let small = try load(text, path: "/elsewhere/fleet.yaml")
        let instance = try #require(fleet.instances[name])
        #expect(small.state == fleet.state)
        #expect(small.instances == [name: instance])
        #expect(small.clusters == fleet.clusters.filter { $0.key == instance.cluster })
        #expect(small.repositories == fleet.repositories.filter { instance.repositories.contains($0.key) })
        #expect(small.policies == fleet.policies.filter { $0.key == instance.policy })
        #expect(small.applications.isEmpty)
        #expect(try small.extract(instance: name) == text)
    }

    /// A key from a program, in the file and in what is handed to a pod.
    @Test func readsAKeyFromACommand() throws {
        let text = design.replacing(
            "passphrase: {file: keys/offsite}", with: "key: {command: [/opt/kms, decrypt, \"a key\"]}")
        let fleet = try load(text)
        #expect(fleet.repositories["offsite"]?.secret == .key(.command(["/opt/kms", "decrypt", "a key"])))
        #expect(try load(fleet.extract(instance: "orders")).repositories["offsite"] == fleet.repositories["offsite"])
        for (wrong, message) in [
            ("passphrase: {env: A}, key: {env: B}", "passphrase and key exclude each other"),
            ("", "encryption needs passphrase or key"),
            ("key: {command: []}", "expected a program and its arguments"),
            ("key: {command: [/opt/kms, {a: b}]}", "expected a program and its arguments"),
            ("key: {command: /opt/kms}", "expected a program and its arguments"),
        ] {
            let text = design.replacing("{passphrase: {file: keys/offsite}}", with: "{\(wrong)}")
            let error = #expect(throws: ConfigurationError.self) { try load(text) }
            #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
        }
    }

    @Test func extractsNothingUnknown() throws {
        let error = try #require(throws: FleetError.self) { try load(design).extract(instance: "order") }
        #expect(error.code == .notFound)
        #expect(error.hint == "did you mean orders?")
    }
}
