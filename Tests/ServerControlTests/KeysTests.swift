import FleetPluginAPI
import FleetTestSupport
import ServerControl
import Testing

@Suite("Keys of a query")
struct KeysTests {
    private func all(_ sql: String, _ server: PostgresServer) async throws -> (keys: [String], parts: Int) {
        let reader = try await servers.keys(sql, database: "postgres", at: server.endpoint, deadline: limit)
        var keys: [String] = []
        var parts = 0
        while true {
            let part = try await reader.next()
            if part.isEmpty { break }
            keys += part
            parts += 1
        }
        await reader.close()
        return (keys, parts)
    }

    @Test("they come sorted by bytes, once each, in parts, and nothing is written")
    func sorted() async throws {
        try await withPostgres { server in
            try await server.query(
                "create table t (i int, s text); insert into t values (2, 'ä'), (10, 'Z'), (1, 'a'), (2, null), (null, 'a')"
            )
            #expect(try await all("select i from t", server).keys == ["1", "10", "2"])
            #expect(try await all("select s from t order by i -- the newest", server).keys == ["Z", "a", "ä"])
            let many = try await all("select generate_series(1, 50000)", server)
            #expect(many.keys.count == 50_000 && many.parts == 3)
            #expect(many.keys == many.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            for wrong in [
                "select 1; drop table t", "delete from t returning i", "select nothing from t",
                "select 1) as x; drop table t --",
            ] {
                let error = await fleetError { _ = try await all(wrong, server) }
                #expect(error != nil, "\(wrong)")
            }
            #expect(try await server.value("select count(*) from t") == "5")
        }
    }
}
