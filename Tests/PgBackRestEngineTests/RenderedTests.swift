import DirectoryStorage
import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

@testable import PgBackRestEngine

/// Repositories of fleet.yaml in pgBackRest's words.
@Suite struct RenderedTests {
    private func repository(
        _ plugin: String, _ options: [String: JSONValue], passphrase: SecretReference? = nil
    ) throws -> EngineContext.Repository {
        let context = PluginContext(
            name: "r", stateDirectory: "/nonexistent", agent: AgentInvocation(executable: "/f", configuration: "/c"),
            resolve: { _ in Secret("") })
        return EngineContext.Repository(
            name: "r", storage: try DirectoryStorage(context, PluginOptions(["path": "/nonexistent"])), plugin: plugin,
            options: PluginOptions(options), secret: passphrase.map { .passphrase($0) })
    }

    @Test func directoriesAndBucketsAreRepositories() throws {
        let options = try RenderedOptions([
            repository("directory", ["path": "/srv/backups"], passphrase: .file("/run/pass")),
            repository(
                "s3",
                [
                    "bucket": "b", "prefix": "/a/b/", "endpoint": "https://s3.example:9000", "region": "eu-1",
                    "accessKey": ["env": "KEY"], "secretKey": ["file": "/run/secret"], "caFile": "/etc/ca.pem",
                ]),
            repository("s3", ["bucket": "c", "accessKey": ["env": "KEY"], "secretKey": ["env": "SECRET"]]),
        ])
        #expect(options.environment["PGBACKREST_REPO1_PATH"] == "/srv/backups/pgbackrest")
        #expect(options.environment["PGBACKREST_REPO1_CIPHER_TYPE"] == "aes-256-cbc")
        #expect(options.secrets["PGBACKREST_REPO1_CIPHER_PASS"] == .file("/run/pass"))
        let second = options.environment.filter { $0.key.hasPrefix("PGBACKREST_REPO2_") }
        #expect(
            second == [
                "PGBACKREST_REPO2_TYPE": "s3", "PGBACKREST_REPO2_S3_BUCKET": "b", "PGBACKREST_REPO2_S3_REGION": "eu-1",
                "PGBACKREST_REPO2_S3_ENDPOINT": "s3.example", "PGBACKREST_REPO2_STORAGE_PORT": "9000",
                "PGBACKREST_REPO2_PATH": "/a/b/pgbackrest", "PGBACKREST_REPO2_S3_URI_STYLE": "path",
                "PGBACKREST_REPO2_STORAGE_CA_FILE": "/etc/ca.pem",
            ])
        #expect(options.secrets["PGBACKREST_REPO2_S3_KEY"] == .environment("KEY"))
        #expect(options.secrets["PGBACKREST_REPO2_S3_KEY_SECRET"] == .file("/run/secret"))
        #expect(options.environment["PGBACKREST_REPO3_S3_ENDPOINT"] == "s3.us-east-1.amazonaws.com")
        #expect(options.environment["PGBACKREST_REPO3_S3_URI_STYLE"] == "host")
        #expect(options.environment["PGBACKREST_REPO3_CIPHER_TYPE"] == nil)
    }

    @Test func whatPgBackRestCannotReachIsRefused() throws {
        let plain = try repository("s3", ["bucket": "b", "endpoint": "http://s3.example"])
        #expect(throws: FleetError.self) { try RenderedOptions([plain]) }
        let other = try repository("tape", [:])
        #expect(throws: FleetError.self) { try RenderedOptions([other]) }
    }

    @Test func secretsAreInNoCommandLineAndCommandsGoThroughTheAgent() async throws {
        let engine = try PgBackRestEngine(
            PluginContext(
                name: "orders", stateDirectory: "/nonexistent",
                agent: AgentInvocation(executable: "/f", configuration: "/c"), resolve: { _ in Secret("") }))
        var context = EngineContext(
            instance: Instance(name: "orders", cluster: "here", environment: "dev"),
            repositories: [
                try repository(
                    "s3", ["bucket": "b", "accessKey": ["env": "KEY"], "secretKey": ["env": "SECRET"]])
            ], agent: AgentInvocation(executable: "/opt/fleet", configuration: "/etc/fleet.yaml"),
            location: InstanceLocation(dataDirectory: "/srv/data", owner: "postgres", binDirectory: nil),
            endpoint: Endpoint(host: "/run/pg", port: 5433, user: "postgres"))
        let commands = try engine.archiving(context)
        #expect(
            commands.archive
                == "/opt/fleet --config /etc/fleet.yaml agent pgbackrest-archive-push --instance orders"
                + " pgbackrest orders /srv/data %p")
        #expect(
            commands.restore.hasSuffix("pgbackrest-archive-get --instance orders pgbackrest orders /srv/data %f %p"))
        let task = try await engine.backup(.init(key: "k", kind: .full, repository: "r"), context)
        #expect(task.secrets["PGBACKREST_REPO1_S3_KEY_SECRET"] == .environment("SECRET"))
        #expect(task.environment["PGBACKREST_PG1_PATH"] == "/srv/data")
        #expect(task.environment["PGBACKREST_PG1_SOCKET_PATH"] == "/run/pg")
        // fleet's policy is the only retention there is.
        _ = try await engine.expire(
            .init(key: "k", repository: "r", retention: Retention(full: 1), isDryRun: true), context)
        context.location = nil
        #expect(throws: FleetError.self) { try engine.archiving(context) }
    }

    /// Through the agent as through the shell: only a segment that is certainly not there may end recovery.
    @Test(arguments: [(0, 0), (1, 1), (42, 200), (103, 200), (125, 200), (126, 126)])
    func onlyStatus1EndsRecovery(_ status: Int32, _ expected: Int32) async throws {
        try await withScratch { scratch in
            let script = try scratch.write("#!/bin/sh\nexit \(status)\n", to: "pgbackrest")
            chmod(script, 0o755)
            #expect(try await get(script, [repository("directory", ["path": "/srv"])]) == expected)
        }
    }

    @Test func whatCannotBeRunOrReadDoesNotEndRecovery() async throws {
        #expect(try await get("/nonexistent/pgbackrest", [repository("directory", ["path": "/srv"])]) == 200)
        #expect(try await get("/bin/true", [repository("tape", [:])]) == 200)
        let locked = try repository("directory", ["path": "/srv"], passphrase: .environment("NO_SUCH_PASSPHRASE"))
        #expect(await get("/bin/true", [locked]) == 200)
    }

    private func get(_ program: String, _ repositories: [EngineContext.Repository]) async -> Int32 {
        let context = AgentContext(
            instance: Instance(name: "orders", cluster: "here", environment: "dev"), repositories: repositories,
            resolve: { throw FleetError(.configuration, "there is no secret \($0)") }, emit: { _ in }, log: { _ in })
        let verb = PgBackRestEngine.agentVerbs.first { $0.name == "pgbackrest-archive-get" }
        return await verb?.run(context, [program, "main", "/srv/data", "000000010000000000000001", "pg_wal/x"]) ?? -1
    }
}
