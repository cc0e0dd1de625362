import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import ServerControl

@Suite("WAL on purpose", .serialized)
struct WALTests {
    @Test(
        "a heartbeat is a durable commit, a restore point is in WAL, a switch gets everything archived",
        arguments: PostgresInstallation.testedMajors)
    func archive(major: Int) async throws {
        try await withScratch { scratch in
            let archive = try scratch.directory("archive", owner: .current)
            let settings = ["archive_mode": "on", "archive_command": "cp %p \(archive)/%f"]
            let server = try await PostgresServer.create(
                in: scratch, .init(settings: settings, segmentMegabytes: 1, installation: try await .major(major)))
            try await server.start()
            let before = try #require(LSN(try await server.value("SELECT pg_current_wal_insert_lsn()")))
            let beat = try await servers.heartbeat(server.endpoint, deadline: limit)
            let point = try await servers.createRestorePoint("before the 'move'", at: server.endpoint, deadline: limit)
            #expect(before < beat && beat < point)
            let flushed = try await server.value("SELECT pg_current_wal_flush_lsn()")
            #expect(try #require(LSN(flushed)) >= point)
            let end = try await servers.switchWAL(server.endpoint, deadline: limit)
            #expect(end > point)
            try await servers.awaitArchived(end, at: server.endpoint, deadline: limit)
            let segment = WALSegmentName(timeline: 1, containing: LSN(end.rawValue - 1), segmentSize: 1 << 20)
            #expect(FileManager.default.fileExists(atPath: "\(archive)/\(segment)"))
            let dump = try await server.run("pg_waldump", ["-s", "\(before)", "-e", "\(end)", "\(archive)/\(segment)"])
                .text
            let kinds = dump.split(separator: "\n")
            #expect(kinds.contains { $0.contains("rmgr: Transaction") && $0.contains("COMMIT") })
            #expect(kinds.contains { $0.contains("RESTORE_POINT before the 'move'") })
            #expect(kinds.contains { $0.contains("SWITCH") })
            // Many beats in a row meet page boundaries too.
            for _ in 0..<5 { _ = try await servers.heartbeat(server.endpoint, deadline: limit) }
        }
    }

    @Test("a failing archiver is told at once, one that is off is refused, one that waits times out")
    func failing() async throws {
        try await withPostgres(.init(settings: ["archive_mode": "on", "archive_command": "false"])) { server in
            let end = try await servers.switchWAL(server.endpoint, deadline: limit)
            let failed = await fleetError {
                try await servers.awaitArchived(end, at: server.endpoint, deadline: limit)
            }
            #expect(failed?.code == .failed && failed?.message.contains("000000010000000000000001") == true)
            #expect(try await servers.observe(server.endpoint, deadline: limit).archiving.isFailing)
            try server.configure(["archive_command": ""])
            server.reload()
            try await waitUntil("it is reloaded") { try await server.value("SHOW archive_command") == "" }
            let none = await fleetError { try await servers.awaitArchived(end, at: server.endpoint, deadline: limit) }
            #expect(none?.code == .unsupported)
            try server.configure(["archive_command": "sleep 100"])
            try await server.restart()
            let late = await fleetError {
                try await servers.awaitArchived(end, at: server.endpoint, deadline: .milliseconds(400))
            }
            #expect(late?.code == .timedOut)
            // A segment that is still written is not archived, whatever the archiver says.
            let now = try #require(LSN(try await server.value("SELECT pg_current_wal_insert_lsn()")))
            let open = await fleetError {
                try await servers.awaitArchived(now, at: server.endpoint, deadline: .milliseconds(400))
            }
            #expect(open?.code == .timedOut)
        }
    }

    @Test("the tail of WAL is read up to what is flushed, and nothing changes on the server")
    func tail() async throws {
        try await withPostgres(.init(settings: ["wal_sender_timeout": "1s"], segmentMegabytes: 1)) { server in
            try await server.query("CREATE TABLE t AS SELECT generate_series(1, 50000) AS i")
            let end = try #require(LSN(try await server.value("SELECT pg_current_wal_flush_lsn()")))
            let size: UInt64 = 1 << 20
            let start = LSN(end.rawValue / size * size - size)
            var bytes: [UInt8] = []
            try await servers.readWAL(from: start, timeline: 1, at: server.endpoint, deadline: limit) { at, piece in
                #expect(at == start + UInt64(bytes.count))
                bytes += piece
            }
            #expect(start + UInt64(bytes.count) >= end)
            let segment = WALSegmentName(timeline: 1, containing: start, segmentSize: size)
            let file = try #require(FileManager.default.contents(atPath: "\(server.dataDirectory)/pg_wal/\(segment)"))
            #expect(Array(bytes.prefix(Int(size))) == [UInt8](file))
            #expect(try await server.value("SELECT count(*) FROM pg_replication_slots") == "0")
            let removed = await fleetError {
                try await servers.readWAL(from: .zero, timeline: 1, at: server.endpoint, deadline: limit) { _, _ in }
            }
            #expect(removed != nil)
            struct Full: Error {}
            let full = await fleetError {
                try await servers.readWAL(from: start, timeline: 1, at: server.endpoint, deadline: limit) { _, _ in
                    throw Full()
                }
            }
            #expect(full?.code == .failed)
        }
    }

    @Test("where the last record ends, given the insert position")
    func endOfRecord() {
        let size: UInt64 = 16 << 20
        let cases: [(UInt64, UInt64)] = [
            (size + 40, size), (size + 8192 + 24, size + 8192), (size + 8192 + 40, size + 8192 + 40),
            (size + 24, size + 24), (size + 100, size + 100),
        ]
        for (insert, end) in cases {
            #expect(PostgresDatabaseServers.endOfRecord(insert: LSN(insert), segmentSize: size) == LSN(end))
        }
    }
}
