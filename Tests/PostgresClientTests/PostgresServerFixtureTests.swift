import FleetTestSupport
import FoundationEssentials
import Testing

@Suite("The PostgreSQL fixture")
struct PostgresServerFixtureTests {
    @Test("starts, answers, survives a crash, stops and leaves nothing behind")
    func lifeCycle() async throws {
        var scratch = ""
        try await withPostgres(.init(settings: ["work_mem": "5MB"])) { server in
            scratch = server.scratch.path
            #expect(try await server.value("SHOW work_mem") == "5MB")
            #expect(
                try await server.query("SELECT 1, NULL, 'a' || chr(10) UNION ALL SELECT 2, '', ''") == [
                    ["1", nil, "a\n"], ["2", "", ""],
                ])
            try await server.query("CREATE TABLE t (i int); INSERT INTO t VALUES (1)")
            try await server.crash()
            #expect(!server.isRunning)
            try await server.start()
            #expect(try await server.value("SELECT count(*) FROM t") == "1")
            try await server.stop()
            #expect(try await server.controlData("Database cluster state") == "shut down")
            try await server.run("pg_checksums", ["--check", "-D", server.dataDirectory]).checked()
        }
        #expect(!scratch.isEmpty && !FileManager.default.fileExists(atPath: scratch))
    }

    @Test("starts a copied data directory beside its source; the server is stopped although the body throws")
    func adoption() async throws {
        struct Stop: Error {}
        var copy: PostgresServer?
        await #expect(throws: Stop.self) {
            try await withPostgres { server in
                try await server.stop()
                let parent = try server.scratch.directory("copies", owner: .current)
                try await runTool(["cp", "-a", server.dataDirectory, "\(parent)/copy"]).checked()
                try await server.start()
                let other = try await PostgresServer.adopt(
                    dataDirectory: "\(parent)/copy", in: server.scratch, settings: ["work_mem": "6MB"])
                try await other.start()
                copy = other
                #expect(try await other.value("SHOW work_mem") == "6MB")
                #expect(try await server.value("SHOW work_mem") == "4MB")
                throw Stop()
            }
        }
        #expect(copy.map { $0.isLaunched } == false)
    }

    @Test("servers have their own system identifier where asked")
    func identifiers() async throws {
        try await withScratch { scratch in
            let one = try await PostgresServer.create(in: scratch, name: "one")
            let two = try await PostgresServer.create(in: scratch, name: "two", .init(ownSystemIdentifier: true))
            let field = "Database system identifier"
            #expect(try await one.controlData(field) != two.controlData(field))
        }
    }
}
