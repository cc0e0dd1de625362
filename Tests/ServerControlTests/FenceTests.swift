import FleetPluginAPI
import FleetTestSupport
import ServerControl
import Testing

@Suite("Holding writers")
struct FenceTests {
    private func session(_ server: PostgresServer) async throws -> any FenceSession {
        try await servers.fence(server.endpoint, database: "postgres", deadline: limit)
    }

    @Test(
        "writers wait and readers do not; a mark lets go",
        arguments: [
            FenceHold.tables(["t", "public.u"]), .advisory(4, 2),
        ])
    func holds(_ hold: FenceHold) async throws {
        try await withPostgres { server in
            try await server.query("create table t (i int); create table u (i int)")
            let fence = try await session(server)
            let facts = try await fence.facts(hold)
            #expect(facts.mayMark && facts.deniedTables.isEmpty && facts.timeline == 1 && !facts.isInRecovery)
            let held = try await fence.hold(hold, patience: .milliseconds(300), idleLimit: .seconds(5))
            #expect(held > .zero)
            let write =
                if case .tables = hold { "insert into u values (1)" } else {
                    "select pg_advisory_xact_lock_shared(4, 2)"
                }
            let writer = Task { try await server.query(write) }
            try await waitUntil("the writer waits") {
                try await server.value("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == "1"
            }
            #expect(try await server.value("select count(*) from u") == "0")
            let point = try await fence.mark("flt.s.0.1.fenced")
            #expect(point > held)
            _ = try await writer.value
            // What is held no more cannot be marked.
            let error = await fleetError { _ = try await fence.mark("flt.s.0.2.fenced") }
            #expect(error != nil)
            let both = try await fence.holdAndMark(hold, "flt.s.0.3.fenced", patience: .milliseconds(300))
            #expect(both > point)
            try await server.query(write)
            await fence.close()
        }
    }

    @Test("a fence that would wait gives way, and says so")
    func givesWay() async throws {
        try await withPostgres { server in
            try await server.query("create table t (i int)")
            let writer = try await server.hold("begin; insert into t values (1)", application: "writer")
            let fence = try await session(server)
            let clock = ContinuousClock()
            let began = clock.now
            let error = await fleetError {
                _ = try await fence.hold(.tables(["t"]), patience: .milliseconds(200), idleLimit: .seconds(5))
            }
            #expect(error?.code == .conflict && clock.now - began < .seconds(3))
            try await fence.release()
            #expect(try await fence.facts(nil).oldestWriter != nil)
            writer.signal(9)
            await fence.close()
        }
    }

    @Test("what is not heard of again lets go by itself")
    func idle() async throws {
        try await withPostgres { server in
            try await server.query("create table t (i int)")
            let fence = try await session(server)
            _ = try await fence.hold(.tables(["t"]), patience: .milliseconds(300), idleLimit: .milliseconds(400))
            // Waits for no longer than that.
            try await server.query("set lock_timeout = '5s'; insert into t values (1)")
            let error = await fleetError { _ = try await fence.mark("flt.s.0.1.fenced") }
            #expect(error != nil)
            await fence.close()
        }
    }

    @Test("rights that are missing are named beforehand")
    func rights() async throws {
        try await withPostgres { server in
            try await server.query("create table t (i int); create role helper login; grant select on t to helper")
            var endpoint = server.endpoint
            endpoint.user = "helper"
            let fence = try await servers.fence(endpoint, database: "postgres", deadline: limit)
            let facts = try await fence.facts(.tables(["t"]))
            #expect(facts.deniedTables == ["t"] && !facts.mayMark)
            let unknown = await fleetError { _ = try await fence.facts(.tables(["t; drop table t"])) }
            #expect(unknown != nil)
            await fence.close()
        }
    }

    /// A pooler may give each statement another backend: nothing that is held there is certain.
    @Test("a pooler is refused")
    func pooler() async throws {
        try await withPostgres { server in
            let port = FreePort.next()
            let configuration = try server.scratch.write(
                """
                [databases]
                * = host=\(server.socketDirectory) port=\(server.port) user=postgres
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = \(port)
                unix_socket_dir =
                auth_type = any
                pool_mode = transaction
                ignore_startup_parameters = extra_float_digits,search_path,options
                """, to: "pooler.ini")
            try server.installation.owner.own(configuration)
            let pooler = try await ChildProcess.start(
                server.installation.owner.argv(["/usr/sbin/pgbouncer", configuration]), directory: "/",
                output: server.scratch.path("pooler.log"))
            server.scratch.onCleanUp { pooler.signal(9) }
            let endpoint = Endpoint(host: "127.0.0.1", port: port, user: "postgres")
            var error: FleetError?
            try await waitUntil("the pooler answers") {
                do {
                    let session = try await servers.fence(endpoint, database: "postgres", deadline: limit)
                    await session.close()
                    throw FixtureError("it was taken for the server")
                } catch let found as FleetError {
                    error = found
                    return found.code != .unavailable
                }
            }
            #expect(error?.code == .refused && error?.message.contains("is a pooler") == true)
        }
    }
}
