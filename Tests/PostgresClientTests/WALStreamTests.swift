import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import PostgresClient
import Testing

@Suite("WAL streams", .serialized)
struct WALStreamTests {
    private static let segment: UInt64 = 1 << 20

    @Test("WAL arrives as it lies on the server's disk", arguments: PostgresInstallation.testedMajors)
    func bytes(major: Int) async throws {
        try await withPostgres(major: major, .init(segmentMegabytes: 1)) { server in
            let connection = try await server.connectReplication()
            #expect(try await connection.show("wal_segment_size", deadline: .now + .seconds(5)) == "1MB")
            let start = try await connection.identifySystem(deadline: .now + .seconds(5)).flushed
            let first = LSN(start.rawValue / Self.segment * Self.segment)
            try await server.query("CREATE TABLE t AS SELECT generate_series(1, 60000) AS i")
            let end = try #require(LSN(try await server.value("SELECT pg_switch_wal()")))
            try await connection.startWAL(from: first, timeline: 1, deadline: .now + .seconds(5))
            var received: [UInt8] = []
            while first + UInt64(received.count) < end {
                let message = try await connection.nextWAL(deadline: .now + .seconds(20))
                guard case .data(let position, let serverEnd, let sentAt, let bytes) = message else { continue }
                #expect(position == first + UInt64(received.count) && serverEnd >= position)
                #expect(sentAt > Timestamp(microseconds: 1_700_000_000_000_000))
                received += bytes
            }
            try await connection.stopWAL(deadline: .now + .seconds(20))
            _ = try await connection.identifySystem(deadline: .now + .seconds(5))
            var onDisk: [UInt8] = []
            var name = WALSegmentName(timeline: 1, containing: first, segmentSize: Self.segment)
            while onDisk.count < received.count {
                onDisk += try #require(FileManager.default.contents(atPath: "\(server.dataDirectory)/pg_wal/\(name)"))
                name = name.next
            }
            #expect(received.count > 3 << 20)
            #expect(received.elementsEqual(onDisk.prefix(received.count)))
        }
    }

    @Test("a status frees the slot's WAL and is seen by the server; keepalives ask and are answered")
    func status() async throws {
        try await withPostgres(.init(settings: ["wal_sender_timeout": "2s"])) { server in
            try await server.query("SELECT pg_create_physical_replication_slot('keeper', true)")
            let connection = try await server.connectReplication()
            let start = try await connection.identifySystem(deadline: .now + .seconds(5)).flushed
            let first = LSN(start.rawValue / (16 << 20) * (16 << 20))
            try await connection.startWAL(from: first, timeline: 1, slot: "keeper", deadline: .now + .seconds(5))
            let taken = try await server.connectReplication()
            let conflict = await fleetError {
                try await taken.startWAL(from: first, timeline: 1, slot: "keeper", deadline: .now + .seconds(5))
            }
            #expect(conflict?.code == .conflict)
            var asked = 0
            let end = ContinuousClock.now + .seconds(5)
            while ContinuousClock.now < end {
                let message = try await connection.nextWAL(deadline: .now + .seconds(20))
                guard case .keepalive(let serverEnd, _, let replyRequested) = message, replyRequested else { continue }
                asked += 1
                let now = Timestamp(microseconds: Int64(Date.now.timeIntervalSince1970 * 1e6))
                try await connection.sendStatus(write: serverEnd, flush: serverEnd, at: now)
            }
            #expect(asked >= 2)
            let flushed = try await server.value("SELECT restart_lsn FROM pg_replication_slots")
            #expect(try #require(LSN(flushed)) >= start)
        }
    }

    @Test("the end of a timeline tells where the next begins; its history can be fetched")
    func timelines() async throws {
        try await withPostgres { server in
            // A second timeline: recover from the server's own WAL, then promote.
            try await server.query("CREATE TABLE t (i int)")
            try await server.stop()
            try "".write(
                toFile: "\(server.dataDirectory)/standby.signal", atomically: false, encoding: .utf8)
            try await server.start()
            try await server.query("SELECT pg_promote()")
            try await waitUntil("it is promoted") { try await server.value("SELECT pg_is_in_recovery()") == "f" }
            try await server.query("INSERT INTO t VALUES (1)")

            let connection = try await server.connectReplication()
            let identity = try await connection.identifySystem(deadline: .now + .seconds(5))
            #expect(identity.timeline == 2)
            let (name, content) = try await connection.timelineHistory(2, deadline: .now + .seconds(5))
            #expect(name == "00000002.history")
            let file = try #require(
                FileManager.default.contents(atPath: "\(server.dataDirectory)/pg_wal/00000002.history"))
            #expect(content == [UInt8](file))
            let fork = try #require(
                LSN(String(decoding: content, as: UTF8.self).split(separator: "\t").dropFirst().first ?? ""))
            let missing = await fleetError {
                _ = try await connection.timelineHistory(9, deadline: .now + .seconds(5))
            }
            #expect(missing?.code == .notFound)

            let begin = LSN(fork.rawValue / (16 << 20) * (16 << 20))
            for start in [begin, fork] {
                try await connection.startWAL(from: start, timeline: 1, deadline: .now + .seconds(5))
                var position = start
                while true {
                    let message = try await connection.nextWAL(deadline: .now + .seconds(20))
                    if case .data(_, _, _, let bytes) = message { position = position + UInt64(bytes.count) }
                    guard case .endOfTimeline(let next, let at) = message else { continue }
                    #expect(next == 2 && at == fork && position == fork)
                    break
                }
            }
            try await connection.startWAL(from: begin, timeline: 2, deadline: .now + .seconds(5))
            guard case .data = try await connection.nextWAL(deadline: .now + .seconds(20)) else {
                Issue.record("no WAL of timeline 2")
                return
            }
            // A server that shuts down sends everything and says so.
            async let stopped: Void = server.stop()
            while true {
                let message = try await connection.nextWAL(deadline: .now + .seconds(20))
                if case .keepalive(let end, let time, true) = message {
                    try await connection.sendStatus(write: end, flush: end, at: time)
                }
                if case .data(let start, _, let time, let bytes) = message {
                    let end = start + UInt64(bytes.count)
                    try await connection.sendStatus(write: end, flush: end, at: time)
                }
                if message == .end { break }
            }
            try await stopped
        }
    }

    @Test("removed WAL, a future position and an unknown slot are told apart")
    func refused() async throws {
        try await withPostgres(.init(settings: ["max_wal_size": "2MB", "min_wal_size": "2MB"], segmentMegabytes: 1)) {
            server in
            for _ in 0..<4 { try await server.query("SELECT txid_current(), pg_switch_wal(); CHECKPOINT") }
            let connection = try await server.connectReplication()
            let now = try await connection.identifySystem(deadline: .now + .seconds(5)).flushed
            func start(_ lsn: LSN, _ timeline: TimelineID = 1, slot: String? = nil) async -> FleetError.Code? {
                await fleetError {
                    try await connection.startWAL(
                        from: lsn, timeline: timeline, slot: slot, deadline: .now + .seconds(5))
                    _ = try await connection.nextWAL(deadline: .now + .seconds(5))
                }?.code
            }
            #expect(await start(LSN(Self.segment)) == .notFound)
            #expect(await start(now, slot: "nobody") == .notFound)
            #expect(await start(now + 1 << 30) != nil)
            #expect(await connection.isOpen)
            #expect(await start(now, 7) != nil)
        }
    }
}
