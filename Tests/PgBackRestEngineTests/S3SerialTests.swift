import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// pgBackRest with a repository of fleet.yaml in a bucket, encrypted, by https as it requires.
@Suite(.serialized) struct S3SerialTests {
    @Test func aBucketHoldsBackupsAndWAL() async throws {
        let s3 = try await S3Server.shared()
        let bucket = try await s3.makeBucket()
        try await withScratch { scratch in
            let server = try await PostgresServer.create(in: scratch, PostgresServer.Options(segmentMegabytes: 1))
            for (name, secret) in [
                ("id", S3Server.accessKey), ("key", S3Server.secretKey), ("passphrase", "correct-horse-battery"),
            ] {
                try scratch.write(secret, to: name)
                try server.installation.owner.own(scratch.path(name))
            }
            try scratch.write(
                try String(contentsOfFile: s3.authorityFile, encoding: .utf8), to: "authority.pem")
            let configuration = try scratch.write(
                """
                apiVersion: fleet/v1
                kind: Fleet
                state: {sqlite: state/fleet.db}
                clusters:
                  local: {environment: dev, platform: {plugin: host}}
                repositories:
                  offsite:
                    storage:
                      plugin: s3
                      endpoint: https://localhost:\(s3.tlsPort)
                      bucket: \(bucket)
                      prefix: teams/orders
                      accessKey: {file: id}
                      secretKey: {file: key}
                      caFile: authority.pem
                    encryption: {passphrase: {file: passphrase}}
                instances:
                  orders:
                    cluster: local
                    platform: {dataDirectory: \(server.dataDirectory)}
                    engine: {plugin: pgbackrest}
                    repositories: [offsite]
                """, to: "fleet.yaml")
            try scratch.directory("state")
            let fleet = try BuiltProgram.path("fleet")
            func run(_ arguments: String...) async throws -> ToolResult {
                try await runTool([fleet, "--config", configuration] + arguments, directory: "/")
            }
            try await server.start()
            let told = try await run("-o", "json", "instances", "archiving", "orders").checked()
            let command = try JSONDecoder().decode(JSONValue.self, from: Data(told.output))["archiveCommand"]?.string
            try server.configure(["archive_mode": "on", "archive_command": try #require(command)])
            try await server.restart()
            try await server.query("create table kept as select generate_series(1, 1000) i")
            try await run("backup", "orders").checked()
            try await server.query("insert into kept values (0)")
            let target = try await server.value("select pg_current_wal_insert_lsn()")
            try await server.query("drop table kept; select pg_switch_wal()")
            try await run("backups", "verify", "orders").checked()
            let restored = try await run(
                "restore", "--instance", "orders", "--target", "lsn:\(target)", "--yes", "--no-backup")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await server.value("select count(*) from kept") == "1001")
            // No secret was written where the server's user or anybody else can read it.
            for secret in [S3Server.secretKey, "correct-horse-battery"] {
                let found = try await runTool(["grep", "-rlF", secret, scratch.path("state"), server.dataDirectory])
                #expect(found.text.isEmpty, "\(found.text)")
            }
        }
    }
}
