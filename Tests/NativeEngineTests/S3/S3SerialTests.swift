import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import S3Storage
import Testing

@testable import NativeEngine

/// The engine over a real S3 server, as a user has it: secrets in files.
@Suite(.serialized) struct S3SerialTests {
    private static func storage(
        endpoint: String, bucket: String, in scratch: ScratchDirectory, secretKey: String = S3Server.secretKey,
        prefix: String = "fleet"
    ) throws -> S3Storage {
        let name = "\(UInt32.random(in: .min ... .max))"
        let files = [
            try scratch.write("\(S3Server.accessKey)\n", to: "access-\(name)"),
            try scratch.write("\(secretKey)\n", to: "secret-\(name)"),
        ]
        let context = PluginContext(
            name: "cloud", stateDirectory: scratch.path("state"),
            agent: AgentInvocation(executable: "/opt/fleet/bin/fleet", configuration: "/etc/fleet.yaml"),
            resolve: { reference in
                guard case .file(let path) = reference else { throw FleetError(.configuration, "no file") }
                return Secret(try String(contentsOfFile: path, encoding: .utf8).filter { !$0.isNewline })
            })
        return try S3Storage(
            context,
            PluginOptions([
                "endpoint": .string(endpoint), "bucket": .string(bucket), "prefix": .string(prefix), "partSize": "5MiB",
                "accessKey": ["file": .string(files[0])], "secretKey": ["file": .string(files[1])],
            ]))
    }

    private static func instance(_ storage: any Storage) async throws -> InstanceRepository {
        try await Repository.openOrCreate(.init(name: "local", storage: storage), TestPassphrase.resolve).instance(
            "orders")
    }

    @Test func backUpArchiveRestoreVerifyAndExpire() async throws {
        try await withScratch { (scratch) async throws in
            let s3 = try await S3Server.shared()
            let storage = try Self.storage(endpoint: s3.endpoint, bucket: try await s3.makeBucket(), in: scratch)
            try await ArchivedServer.with(storage) { (archived) async throws in
                let server = archived.server
                try await server.query("create table t as select g, md5(g::text) from generate_series(1, 200000) g")
                let first = try await archived.backup("first")
                try await server.query("insert into t select g, 'later' from generate_series(1, 1000) g")
                let second = try await archived.backup("second")
                try await server.query("insert into t select g, 'last' from generate_series(1, 10) g")
                try await archived.archiveAll()

                let catalog = try await archived.catalog()
                #expect(catalog.backups.map(\.label) == [first.label, second.label] && catalog.problems.isEmpty)
                #expect(try await archived.verify().findings.isEmpty)

                let directory = try archived.place("restored")
                try await archived.restore(second, to: directory, stop: .endOfWAL)
                try await archived.boot(directory) { (restored) async throws in
                    #expect(try await restored.value("select count(*) from t") == "201010")
                }

                let report = try await archived.expire(keep: 1)
                #expect(report.removed == [first.label])
                #expect(try await archived.catalog().backups.map(\.label) == [second.label])
                #expect(try await archived.verify().findings.isEmpty)
            }
        }
    }

    /// PostgreSQL promotes on exit statuses 1 to 125: only the server's own word that there is no such object may be one.
    @Test func walGetTellsMissingFromUnreachable() async throws {
        try await withScratch { (scratch) async throws in
            let s3 = try await S3Server.shared()
            let bucket = try await s3.makeBucket()
            let storage = try Self.storage(endpoint: s3.endpoint, bucket: bucket, in: scratch)
            _ = try await Self.instance(storage)
            let agent = Agent(storage)
            let wal = try scratch.directory("pg_wal")
            let name = Segments.name(7)
            let bytes = Segments.bytes(name, filler: 3)
            try Data(bytes).write(to: URL(filePath: "\(wal)/\(name)"))
            #expect(await agent.run("wal-push", "\(wal)/\(name)") == 0)
            #expect(await agent.run("wal-push", "\(wal)/\(name)") == 0, "the same again")

            let destination = "\(wal)/RECOVERYXLOG"
            #expect(await agent.run("wal-get", name.description, destination) == 0)
            #expect(try Array(Data(contentsOf: URL(filePath: destination))) == bytes)
            let missing = Segments.name(8).description
            #expect(await agent.run("wal-get", missing, destination) == 1, "NoSuchKey")

            let denied = try Self.storage(endpoint: s3.endpoint, bucket: bucket, in: scratch, secretKey: "wrong-secret")
            let nobody = try Self.storage(
                endpoint: "http://127.0.0.1:\(FreePort.next())", bucket: bucket, in: scratch)
            let elsewhere = try Self.storage(endpoint: s3.endpoint, bucket: bucket, in: scratch, prefix: "elsewhere")
            let bucketless = try Self.storage(endpoint: s3.endpoint, bucket: "no-such-bucket", in: scratch)
            for (what, storage) in [
                ("denied", denied), ("unreachable", nobody), ("another prefix", elsewhere), ("no bucket", bucketless),
            ] {
                let agent = Agent(storage)
                for wanted in [name.description, missing] {
                    let status = await agent.run("wal-get", wanted, destination)
                    #expect(status > 125, "\(what): \(status)")
                }
                #expect(!agent.log.isEmpty && !agent.log.contains(S3Server.secretKey))
                #expect(await agent.run("wal-push", "\(wal)/\(name)") != 0, "\(what)")
            }
        }
    }
}
