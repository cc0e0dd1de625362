import FleetPluginAPI
import FleetTestSupport
import PostgresClient
import Testing

@Suite("SQL")
struct QueryTests {
    @Test("rows, NULLs, empty text, parameters, every byte of UTF-8, command tags")
    func values() async throws {
        try await withPostgres { server in
            let connection = try await server.connect()
            let deadline = ContinuousClock.now + .seconds(30)
            let text = "ž – \u{1F418}\n'\"\\ $1"
            let result = try await connection.query(
                "SELECT $1::text AS a, $2::text AS b, '' AS c, $3::int + 1 AS d", [text, nil, "41"], deadline: deadline)
            #expect(result.columns == ["a", "b", "c", "d"])
            #expect(result.rows.map(\.values) == [[text, nil, "", "42"]])
            #expect(try result.row()["b"] == nil)
            #expect(try result.row().value("d", { Int($0) }) == 42)
            #expect(result.commandTag == "SELECT 1")
            let created = try await connection.query("CREATE TABLE t (i int)", deadline: deadline)
            #expect(created.commandTag == "CREATE TABLE" && created.rows.isEmpty)
            let many = try await connection.query("SELECT generate_series(1, 200000)", deadline: deadline)
            #expect(many.rows.count == 200_000 && many.rows.last?.values == ["200000"])
            let results = try await connection.simpleQuery(
                "INSERT INTO t VALUES (1), (2); SELECT sum(i) FROM t;", deadline: deadline)
            #expect(results.map(\.commandTag) == ["INSERT 0 2", "SELECT 1"])
            #expect(results.last?.value == "3")
            #expect(try await server.value("SELECT count(*) FROM t") == "2")
            #expect(await connection.serverVersion / 10_000 == server.installation.major)
            // More than any socket buffer, both ways.
            let large = String(repeating: "x", count: 20_000_000)
            let echo = try await connection.query("SELECT $1::text", [large], deadline: deadline)
            #expect(echo.value?.utf8.count == large.utf8.count)
            await connection.close()
            let error = await fleetError { try await connection.query("SELECT 1", deadline: deadline) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("an error has the SQLSTATE's code, and the connection stays usable; values stay out of it")
    func errors() async throws {
        try await withPostgres { server in
            let connection = try await server.connect()
            let deadline = ContinuousClock.now + .seconds(30)
            try await connection.query("CREATE ROLE nobody LOGIN", deadline: deadline)
            let cases: [(String, [String?], FleetError.Code)] = [
                ("SELECT * FROM missing", [], .notFound), ("SELEC 1", [], .usage),
                ("SELECT $1::int", ["hunter2"], .failed), ("CREATE ROLE nobody", [], .alreadyExists),
                ("SET ROLE nobody; SELECT 1", [], .usage), ("SELECT 1/0", [], .failed),
                ("SELECT pg_terminate_backend('x')", [], .failed), ("", [], .usage),
                ("SELECT 1\0; DROP TABLE t", [], .usage), ("SELECT $1", ["a\0b"], .usage),
                ("COPY pg_class TO STDOUT", [], .unsupported),
            ]
            for (sql, parameters, code) in cases {
                let error = await fleetError { try await connection.query(sql, parameters, deadline: deadline) }
                #expect(error?.code == code, "\(sql)")
                #expect(error.map { !"\($0)".contains("hunter2") } == true)
                #expect(error?.isRetriable == false)
                if code != .unsupported {
                    #expect(try await connection.query("SELECT 7", deadline: deadline).value == "7")
                }
            }
            let other = try await server.connect()
            try await other.simpleQuery("SET ROLE nobody", deadline: deadline)
            let denied = await fleetError { try await other.query("SELECT * FROM pg_authid", deadline: deadline) }
            #expect(denied?.code == .denied)
            #expect(denied?.cause?.contains("42501") == true)
        }
    }

    @Test("notices are kept for who asks")
    func notices() async throws {
        try await withPostgres { server in
            let connection = try await server.connect()
            try await connection.query(
                "DO $$ BEGIN FOR i IN 1..150 LOOP RAISE NOTICE 'note %', i; END LOOP; END $$",
                deadline: .now + .seconds(20))
            let notices = await connection.takeNotices()
            #expect(notices.count == 100 && notices.last?.message == "note 150")
            #expect(notices.last?.severity == "NOTICE" && notices.last?.sqlState == "00000")
            #expect(await connection.takeNotices().isEmpty)
        }
    }

    @Test("hundreds of connections at once need no thread each")
    func many() async throws {
        try await withPostgres(.init(settings: ["max_connections": "120"])) { server in
            let parameters = server.parameters()
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        try await PostgresConnection.with(parameters, deadline: .now + .seconds(60)) { connection in
                            let sql = "SELECT $1::int FROM pg_sleep(0.2)"
                            let result = try await connection.query(sql, ["\(index)"], deadline: .now + .seconds(60))
                            return try result.row().value("int4") { Int($0) }
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 4950)
        }
    }
}
