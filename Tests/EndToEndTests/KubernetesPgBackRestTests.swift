import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// The runbook with pgBackRest as teams have it: in the server's image, with its configuration in a ConfigMap.
@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct KubernetesPgBackRestSerial {
    @Test func theRunbookWithARepositoryOnAClaim() async throws {
        try await KubernetesFixture.lend(.claim) { fixture in try await runbook(fixture) }
    }

    @Test func theRunbookWithARepositoryInS3() async throws {
        try await withScratch { scratch in
            let address = try KubernetesBench.find().prod.nodeAddress
            let s3 = try await S3Server.start(in: scratch, address: address)
            let global = [
                "repo1-type=s3", "repo1-path=/pgbackrest", "repo1-s3-bucket=\(try await s3.makeBucket())",
                "repo1-s3-region=us-east-1", "repo1-s3-endpoint=\(address)", "repo1-storage-port=\(s3.tlsPort)",
                "repo1-s3-uri-style=path", "repo1-storage-ca-file=/etc/pgbackrest/authority.pem",
                "repo1-s3-key=\(S3Server.accessKey)", "repo1-s3-key-secret=\(S3Server.secretKey)",
            ]
            let authority = try String(contentsOfFile: s3.authorityFile, encoding: .utf8)
            try await KubernetesFixture.lend(.pgbackrest(global: global, files: ["authority.pem": authority])) {
                fixture in
                try await runbook(fixture)
            }
        }
    }

    @Test(arguments: ["restore the data of orders", "start orders in recovery"])
    func aRunSurvivesItsCoordinator(_ step: String) async throws {
        try await KubernetesFixture.lend(.claim) { fixture in
            let (target, before) = try await fixture.prepareDisaster()
            let killed = try await fixture.launch(
                "restore", "--cluster", "prod", "--target", target, "--yes", "--no-backup")
            #expect(try await killed.reaches(step), "\(killed.text)")
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...3000)))
            await killed.kill()
            let resumed = try await fixture.fleet("runs", "resume", fixture.restoreRun())
            #expect(resumed.exitCode == 0, "\(resumed.errors)\n\(killed.text)")
            #expect(try await fixture.sql("select count(*) from orders") == "500")
            #expect(try await fixture.workloads() == before)
            #expect(try await fixture.leftovers().isEmpty)
        }
    }

    private func runbook(_ fixture: KubernetesFixture) async throws {
        _ = try await fixture.sql(
            "create table orders (id int primary key, at timestamptz default clock_timestamp())")
        try await fixture.fleet("backup", "orders").checked()
        _ = try await fixture.sql("insert into orders select generate_series(1, 500)")
        try await fixture.fleet("backup", "orders", "--type", "diff").checked()
        let info = try await fixture.pgBackRest("info").checked().text
        #expect(info.contains("full backup: ") && info.contains("diff backup: "), "\(info)")
        _ = try await fixture.sql("insert into orders select generate_series(501, 550)")
        let target = try await fixture.now()
        _ = try await fixture.sql(
            "insert into orders select generate_series(551, 600); delete from orders where id <= 400")
        let before = try await fixture.workloads()

        let restored = try await fixture.fleet(
            "restore", "--cluster", "prod", "--target", target, "--yes", "--verbose")
        #expect(restored.exitCode == 0, "\(restored.errors)")
        // pgBackRest's own commands need nothing of fleet in the pod.
        #expect(!restored.errors.contains("--patch"), "\(restored.errors)")
        // Every commit before the target and none after it.
        #expect(
            try await fixture.sql("select count(*), min(id), max(id), pg_is_in_recovery() from orders")
                == "550|1|550|f")
        #expect(try await fixture.workloads() == before)
        try await fixture.infra.waitForRollout("deployment/backend")
        try await fixture.dev.waitForRollout("deployment/backend")
        #expect(try await fixture.leftovers().isEmpty)
        // dev was brought back before prod.
        let lines = restored.errors.split(separator: "\n")
        let dev = lines.lastIndex { $0.contains("backend-dev") }
        let prod = lines.lastIndex { $0.contains("backend-prod") }
        #expect(try #require(dev) < #require(prod), "\(restored.errors)")
        // The new timeline is archived.
        #expect(try await fixture.pgBackRest("check").exitCode == 0)

        let undone = try await fixture.fleet("runs", "undo", fixture.restoreRun(), "--yes")
        #expect(undone.exitCode == 0, "\(undone.errors)")
        #expect(try await fixture.sql("select count(*), max(id) from orders") == "200|600")
        #expect(try await fixture.workloads() == before)
    }
}
