import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import PgBackRestEngine

/// A task that sees the server's socket uses it; one that does not goes by the network.
struct ServerReachTests {
    private func find(_ scratch: ScratchDirectory, socketPath: String?, host: String?) async throws -> ServerReach {
        let lines =
            ["[main]", "pg1-path=/data", "pg1-port=6543"] + (socketPath.map { ["pg1-socket-path=\($0)"] } ?? [])
        let file = try scratch.write(lines.joined(separator: "\n") + "\n", to: "pgbackrest.conf")
        let program = PgBackRest(binary: "pgbackrest", configuration: file, stanza: "main")
        return try await ServerReach.find(program, host: host, port: 5432)
    }

    @Test func aSocketThatIsThereIsUsed() async throws {
        try await withScratch { scratch in
            let directory = try scratch.directory("sockets")
            try scratch.write("", to: "sockets/.s.PGSQL.6543")
            let reach = try await find(scratch, socketPath: directory, host: "10.0.0.1")
            #expect(reach == ServerReach())
        }
    }

    @Test func withoutOneTheServersAddressIs() async throws {
        try await withScratch { scratch in
            let directory = try scratch.directory("sockets")
            // Of another server.
            try scratch.write("", to: "sockets/.s.PGSQL.5432")
            let reach = try await find(scratch, socketPath: directory, host: "10.0.0.1")
            #expect(reach.variables == ["PGHOST": "10.0.0.1"])
            #expect(reach.options == ["--reset-pg1-socket-path", "--pg1-port=5432"])
            let plain = try await find(scratch, socketPath: nil, host: "10.0.0.1")
            #expect(plain.variables == ["PGHOST": "10.0.0.1"])
            #expect(plain.options == ["--pg1-port=5432"])
        }
    }

    @Test func whereTheServerIsKnownByItsSocketNothingChanges() async throws {
        try await withScratch { scratch in
            let reach = try await find(scratch, socketPath: "/nowhere", host: nil)
            #expect(reach == ServerReach())
        }
    }
}
