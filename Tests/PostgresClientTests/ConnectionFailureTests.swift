import FleetPluginAPI
import FleetTestSupport
import PostgresClient
import Testing

@Suite("Connections that fail")
struct ConnectionFailureTests {
    private let hba = [
        "local all all trust", "host all postgres 127.0.0.1/32 trust", "host all keeper 127.0.0.1/32 scram-sha-256",
    ]

    @Test("wrong and missing passwords, unknown databases and users, too many connections")
    func refused() async throws {
        try await withPostgres(.init(settings: ["max_connections": "5"], hba: hba)) { server in
            try await server.query("CREATE ROLE keeper LOGIN PASSWORD 'right'")
            func attempt(_ user: String, _ password: String?, database: String = "postgres") async throws {
                let parameters = ConnectionParameters(
                    host: "127.0.0.1", port: server.port, user: user, database: database,
                    password: password.map { Secret($0) })
                let connection = try await PostgresConnection.connect(parameters, deadline: .now + .seconds(20))
                await connection.close()
            }
            try await attempt("keeper", "right")
            let wrong = await fleetError { try await attempt("keeper", "wr0ng-secret") }
            #expect(wrong?.code == .denied && wrong?.isRetriable == false)
            #expect(wrong?.cause?.contains("28P01") == true)
            #expect(wrong.map { !"\($0)".contains("wr0ng-secret") } == true)
            let missing = await fleetError { try await attempt("keeper", nil) }
            #expect(missing?.code == .denied && missing?.hint != nil)
            #expect(await fleetError { try await attempt("stranger", "x") }?.code == .denied)
            let unknown = await fleetError { try await attempt("postgres", nil, database: "nowhere") }
            #expect(unknown?.code == .notFound)
            #expect(unknown?.message.contains("127.0.0.1:\(server.port)") == true)

            var held: [PostgresConnection] = []
            let full = await fleetError { while held.count < 20 { held.append(try await server.connect()) } }
            #expect(full?.code == .exhausted && full?.isRetriable == true)
            for connection in held { await connection.close() }
        }
    }

    @Test("nobody listens; the socket is not there; the name does not exist")
    func absent() async throws {
        for host in ["127.0.0.1", "/nonexistent", "no-such-host.invalid"] {
            let parameters = ConnectionParameters(host: host, port: FreePort.next(), user: "postgres")
            let error = await fleetError {
                _ = try await PostgresConnection.connect(parameters, deadline: .now + .seconds(20))
            }
            #expect(error?.code == .unavailable || (host.contains("invalid") && error?.code == .timedOut))
            #expect(error?.isRetriable == true)
        }
    }

    @Test("a server that hangs ends connect and query at their deadlines, again and again")
    func hung() async throws {
        try await withPostgres { server in
            let connection = try await server.connect()
            server.freeze(true)
            for _ in 0..<3 {
                let start = ContinuousClock.now
                let connecting = await fleetError {
                    _ = try await PostgresConnection.connect(server.parameters(), deadline: .now + .milliseconds(300))
                }
                #expect(connecting?.code == .timedOut && connecting?.isRetriable == true)
                #expect(ContinuousClock.now - start < .seconds(15))
            }
            let asking = await fleetError {
                try await connection.query("SELECT 1", deadline: .now + .milliseconds(300))
            }
            #expect(asking?.code == .timedOut)
            #expect(await connection.isOpen == false)
            server.freeze(false)
            #expect(try await server.connect().query("SELECT 1", deadline: .now + .seconds(20)).value == "1")
        }
    }

    @Test("a server that goes away in the middle is unavailable, whether it says good-bye or not")
    func gone() async throws {
        try await withPostgres { server in
            for (mode, said) in [(true, "57P01"), (false, nil)] {
                let connection = try await server.connect()
                async let error = fleetError {
                    try await connection.query("SELECT pg_sleep(60)", deadline: .now + .seconds(50))
                }
                try await waitUntil("the query runs") {
                    try await server.value("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'")
                        == "1"
                }
                if mode { try await server.stop(.fast) } else { try await server.crash() }
                let found = await error
                #expect(found?.code == .unavailable && found?.isRetriable == true)
                if let said { #expect(found?.cause?.contains(said) == true) }
                #expect(await connection.isOpen == false)
                try await server.start()
            }
        }
    }

    @Test("deadline, cancellation and closing end a query at once and stop it on the server")
    func cancelled() async throws {
        try await withPostgres { server in
            for way in ["deadline", "cancel", "close"] {
                let connection = try await server.connect()
                let sql = "SELECT pg_sleep(500), '\(way)'"
                let limit: Duration = way == "deadline" ? .seconds(2) : .seconds(300)
                let task = Task { await fleetError { try await connection.query(sql, deadline: .now + limit) } }
                let running =
                    "SELECT count(*) FROM pg_stat_activity WHERE query = '\(sql.replacing("'", with: "''"))'"
                    + " AND state = 'active'"
                try await waitUntil("the query runs") { try await server.value(running) == "1" }
                let busy = await fleetError { try await connection.query("SELECT 1", deadline: .now + .seconds(5)) }
                #expect(busy?.code == .conflict)
                if way == "cancel" { task.cancel() }
                if way == "close" { await connection.close() }
                let codes: [String: FleetError.Code] = [
                    "deadline": .timedOut, "cancel": .cancelled, "close": .unavailable,
                ]
                #expect(await task.value?.code == codes[way])
                #expect(await connection.isOpen == false)
                if way != "close" {
                    try await waitUntil("the server has stopped it") { try await server.value(running) == "0" }
                }
            }
        }
    }

    @Test("statement_timeout is a deadline too")
    func statementTimeout() async throws {
        try await withPostgres { server in
            let parameters = server.parameters(settings: ["statement_timeout": "200ms", "search_path": "a\\b, public"])
            let connection = try await PostgresConnection.connect(parameters, deadline: .now + .seconds(20))
            let error = await fleetError {
                try await connection.query("SELECT pg_sleep(60)", deadline: .now + .seconds(50))
            }
            #expect(error?.code == .timedOut)
            #expect(
                try await connection.query("SHOW search_path", deadline: .now + .seconds(5)).value == "a\\b, public")
        }
    }
}

@Suite struct PeerAuthenticationTests {
    /// Debian's default pg_hba.conf, with fleet run as root: it is who the server's own user is.
    @Test func theServersOwnUserIsLetInByPeer() async throws {
        let options = PostgresServer.Options(hba: ["local all all peer"])
        try await withPostgres(options) { server in
            let parameters = ConnectionParameters(
                host: server.socketDirectory, port: server.port, user: ServerOwner.current.name)
            let connection = try await PostgresConnection.connect(parameters, deadline: .now + .seconds(10))
            let answer = try await connection.query("select 1", deadline: .now + .seconds(10))
            #expect(answer.rows.count == 1)
            await connection.close()
        }
    }
}
