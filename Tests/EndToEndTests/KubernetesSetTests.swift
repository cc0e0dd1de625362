import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// A restore set whose members live in different places: one in Kubernetes, one on a host.
@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct KubernetesSetSerial {
    @Test func membersOnAHostAndInKubernetesAreRestoredTogether() async throws {
        try await KubernetesFixture.lend { fixture in
            let scratch = fixture.infra.scratch
            let payments = try await PostgresServer.create(
                in: scratch, name: "payments", .init(settings: ["wal_level": "replica"], ownSystemIdentifier: true))
            _ = try scratch.directory("host-repository", owner: ServerOwner.current)
            try await payments.start()
            let text = try String(contentsOfFile: fixture.configuration, encoding: .utf8)
            let further = """
                restoreSets:
                  shop:
                    members: [orders, payments]
                    fence: {tables: {orders: [orders], payments: [payments]}}
                    invariants:
                      - name: what was paid was ordered
                        subset:
                          keys: {member: payments, sql: select id from payments}
                          within: {member: orders, sql: select id from orders}
                """
            let extended =
                text.replacing(
                    "clusters:\n", with: "clusters:\n  host: {environment: prod, platform: {plugin: host}}\n"
                )
                .replacing(
                    "repositories:\n",
                    with:
                        "repositories:\n  host: {storage: {plugin: directory, path: \(scratch.path("host-repository"))}}\n"
                )
                .replacing(
                    "instances:\n",
                    with:
                        "instances:\n  payments: {cluster: host, platform: {dataDirectory: \(payments.dataDirectory)}, "
                        + "engine: {plugin: native}, repositories: [host]}\n")
            try scratch.write(extended + "\n" + further + "\n", to: "fleet.yaml")
            let answer = try await fixture.json("instances", "archiving", "payments")
            let command = try #require(answer["archiveCommand"]?.string)
            try payments.configure(["archive_mode": "on", "archive_command": command])
            try await payments.restart()

            _ = try await fixture.sql(
                "create table orders (id int primary key); insert into orders select generate_series(1, 100)")
            try await payments.query(
                "create table payments (id int primary key); insert into payments select generate_series(1, 90)")
            for name in ["orders", "payments"] {
                let backup = try await fixture.fleet("backup", name)
                #expect(backup.exitCode == 0, "\(backup.errors)")
            }
            let before = try await fixture.workloads()
            let made = try await fixture.json("mark", "create", "--set", "shop")
            #expect(made["mark"]?["state"]?.string == "archived" && made["mark"]?["kind"]?.string == "fenced")
            _ = try await fixture.sql("delete from orders where id > 10")
            try await payments.query("insert into payments select generate_series(101, 120)")
            let restored = try await fixture.fleet(
                "restore", "--set", "shop", "--target", "latest", "--yes", "--no-backup")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await fixture.sql("select count(*), pg_is_in_recovery() from orders") == "100|f")
            #expect(try await payments.value("select count(*) from payments") == "90")
            // Applications of both were down meanwhile, and are as they were.
            #expect(try await fixture.workloads() == before)
            #expect(restored.errors.contains("take down backend-prod"))
        }
    }
}
