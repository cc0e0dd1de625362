import FleetPluginAPI
import FleetTestSupport
import Synchronization
import Testing

@testable import NativeEngine

/// WAL over the replication protocol from real servers that archive nothing by themselves.
@Suite(.serialized) struct WALReceiverSerialTests {
    /// A server with archive_mode off, and a repository in memory.
    struct Bench: Sendable {
        let server: PostgresServer
        let storage: MemoryStorage
        /// The instance's second repository, where it has one.
        var offsite = MemoryStorage()
        let agent: Agent
        let engine: NativeEngine
        let log = Log()

        final class Log: Sendable {
            private let lines = Mutex<[String]>([])
            func add(_ line: String) { lines.withLock { $0.append(line) } }
            var text: String { lines.withLock { $0.joined(separator: "\n") } }
        }

        static func with(
            major: Int? = nil, timeout: String = "1s", twoRepositories: Bool = false,
            _ body: (Bench) async throws -> Void
        ) async throws {
            try await withScratch { (scratch) async throws in
                var options = PostgresServer.Options(
                    settings: ["archive_mode": "off", "max_replication_slots": "5", "max_wal_senders": "5"],
                    segmentMegabytes: 1)
                if let major { options.installation = try await .major(major) }
                let server = try await PostgresServer.create(in: scratch, options)
                try await server.start()
                let storage = MemoryStorage()
                let engine = try NativeEngine(
                    PluginOptions(["wal": "stream", "segmentTimeout": .string(timeout)]),
                    resolve: TestPassphrase.resolve)
                let offsite = MemoryStorage()
                let repositories = [("local", storage)] + (twoRepositories ? [("offsite", offsite)] : [])
                try await body(
                    Bench(
                        server: server, storage: storage, offsite: offsite, agent: Agent(repositories), engine: engine))
            }
        }

        var context: EngineContext {
            var context = agent.context
            context.endpoint = Endpoint(host: server.socketDirectory, port: server.port, user: server.user)
            return context
        }

        /// With a receiver beside it.
        func receiving(_ body: () async throws -> Void) async throws {
            let receiver = Task { [self] in
                let endpoint = context.endpoint
                try await engine.receiveWAL(
                    context,
                    endpoint: {
                        guard let endpoint else { throw FleetError(.usage, "no endpoint") }
                        return endpoint
                    }, log: log.add)
            }
            do {
                try await body()
            } catch {
                receiver.cancel()
                _ = await receiver.result
                throw FleetError(error, "with a receiver that said: \(log.text)")
            }
            receiver.cancel()
            _ = await receiver.result
        }

        @discardableResult
        func backup(_ key: String = "b") async throws -> BackupRecord {
            let task = try await engine.backup(BackupRequest(key: key, kind: .full, repository: "local"), context)
            return try await agent.carryOut(task).decoded(as: BackupRecord.self)
        }

        func catalog() async throws -> Catalog { try await engine.catalog(context) }

        /// Numbers of archived segments on a timeline.
        func archived(_ timeline: TimelineID = 1) async throws -> [UInt64] {
            try await catalog().segments.map(\.name).filter { $0.timeline == timeline }.map(\.number)
        }

        func awaitArchived(_ lsn: String) async throws {
            try await waitUntil("\(lsn) is archived") {
                try await server.value(
                    "select restart_lsn >= '\(lsn)' from pg_replication_slots where slot_name = 'fleet_orders'") == "t"
            }
        }

        /// Bytes of WAL, in segments.
        func write(_ megabytes: Int) async throws {
            try await server.query(
                "create table if not exists filler (t text); insert into filler select repeat(md5(i::text), 30) "
                    + "from generate_series(1, \(megabytes * 1000)) i")
        }

        /// Every segment from the first to the last is there, whole, and as the server has it.
        func expectUnbroken(_ timeline: TimelineID = 1) async throws {
            let numbers = try await archived(timeline)
            #expect(!numbers.isEmpty && numbers == Array(numbers[0]...(numbers.last ?? 0)), "\(numbers)")
            let report = try await agent.carryOut(
                engine.verify(VerifyRequest(key: "v", backups: [], repository: "local"), context)
            ).decoded(as: VerifyReport.self)
            #expect(report.findings.isEmpty, "\(report.findings)")
        }
    }

    @Test(arguments: [13, 15, 18]) func aServerThatArchivesNothingIsBackedUp(_ major: Int) async throws {
        try await Bench.with(major: major == 15 ? nil : major) { (bench) async throws in
            // It begins before there is a repository, and keeps WAL from then on.
            try await bench.receiving {
                try await waitUntil("the slot is there") {
                    try await bench.server.value("select count(*) from pg_replication_slots") == "1"
                }
                let backup = try await bench.backup()
                try await bench.write(5)
                let end = try await bench.server.value("select pg_current_wal_lsn()")
                // What is written and not followed by more comes within the timeout.
                try await bench.awaitArchived(end)
                try await bench.expectUnbroken()
                let catalog = try await bench.catalog()
                #expect(catalog.segments.allSatisfy { $0.summary != nil })
                #expect(catalog.backups.map(\.label) == [backup.label])
            }
            #expect(bench.log.text.contains("receiving WAL from"))
            #expect(bench.log.text.contains("set max_slot_wal_keep_size to less than its disk has room for"))
        }
    }

    /// The first backup makes all repositories of its instance; later one that vanished is not made anew unasked.
    @Test func everyRepositoryHasTheWAL() async throws {
        try await Bench.with(twoRepositories: true) { (bench) async throws in
            try await bench.receiving {
                try await bench.backup()
                try await bench.write(2)
                try await bench.awaitArchived(try await bench.server.value("select pg_current_wal_lsn()"))
                func segments(_ storage: MemoryStorage) -> [String] {
                    storage.keys.filter { $0.hasSuffix(".zst") && $0.contains("/wal/") }
                }
                #expect(segments(bench.offsite) == segments(bench.storage) && segments(bench.storage).count >= 2)
                for key in bench.offsite.keys { bench.offsite[key] = nil }
                try await bench.backup("again")
                #expect(bench.offsite.keys.isEmpty)
                let end = try await bench.server.value("select pg_current_wal_lsn()")
                try await waitUntil("it is said") {
                    bench.log.text.contains("is not archived in the repository offsite")
                }
                let isAcknowledged = try await bench.server.value(
                    "select restart_lsn >= '\(end)' from pg_replication_slots")
                #expect(isAcknowledged == "f")
            }
        }
    }

    /// Ended at any moment, it goes on without a hole and without doing anything twice.
    @Test func anInterruptedReceiverGoesOn() async throws {
        try await Bench.with { (bench) async throws in
            try await bench.receiving { try await bench.backup() }
            for round in 0..<4 {
                try await bench.write(3)
                try await bench.receiving {
                    let writing = Task { try await bench.write(6) }
                    try await Task.sleep(for: .milliseconds(40 * round))
                    if round == 3 { try await writing.value }
                    _ = await writing.result
                }
            }
            let end = try await bench.server.value("select pg_current_wal_lsn()")
            try await bench.receiving { try await bench.awaitArchived(end) }
            try await bench.expectUnbroken()
            #expect(!bench.log.text.contains("hole"))
        }
    }

    /// Nothing counts as archived while a repository cannot take it, and the server waits for nobody at its shutdown.
    @Test func whatIsNotDurableIsNotAcknowledged() async throws {
        try await Bench.with { (bench) async throws in
            try await bench.receiving {
                try await bench.backup()
                let before = try await bench.archived()
                bench.storage.vanish()
                try await bench.write(3)
                let end = try await bench.server.value("select pg_current_wal_lsn()")
                try await waitUntil("it was tried") {
                    bench.log.text.contains("is not archived in the repository local")
                }
                let kept = try await bench.server.value(
                    "select restart_lsn <= '\(end)'::pg_lsn - 2000000 from pg_replication_slots")
                #expect(kept == "t")
                bench.storage.vanish(false)
                try await bench.awaitArchived(end)
                #expect(try await bench.archived().count > before.count)
                let begin = ContinuousClock.now
                try await bench.write(1)
                try await bench.server.stop()
                #expect(ContinuousClock.now - begin < .seconds(20))
                try await bench.server.start()
                let after = try await bench.server.value("select pg_current_wal_lsn()")
                try await bench.write(1)
                try await bench.awaitArchived(after)
                try await bench.expectUnbroken()
            }
        }
    }

    /// A segment that could not be stored is tried again although no other follows it.
    @Test func aSegmentIsTriedAgainOnAnIdleServer() async throws {
        try await Bench.with(timeout: "0s") { (bench) async throws in
            try await bench.receiving {
                try await bench.backup()
                try await bench.server.query("create table little as select 1")
                bench.storage.vanish()
                try await bench.server.query("select pg_switch_wal()")
                let end = try await bench.server.value("select pg_current_wal_lsn()")
                try await waitUntil("it was tried") {
                    bench.log.text.contains("is not archived in the repository local")
                }
                bench.storage.vanish(false)
                try await bench.awaitArchived(end)
            }
        }
    }

    /// - Parameter isBehind: it was away when the server left its timeline, some segments after the last that it has.
    @Test(arguments: [false, true]) func itFollowsToTheNextTimeline(isBehind: Bool) async throws {
        try await Bench.with { (bench) async throws in
            let server = bench.server
            func promote() async throws {
                try await bench.write(2)
                try await server.query("copy (select) to '\(server.dataDirectory)/standby.signal'")
                try await server.stop()
                try await server.start()
                if !isBehind { try await waitUntil("it waits") { bench.log.text.contains("in recovery") } }
                try await server.query("select pg_promote()")
            }
            try await bench.receiving {
                try await bench.backup()
                if !isBehind { try await promote() }
            }
            if isBehind { try await promote() }
            try await bench.receiving {
                try await bench.write(3)
                let end = try await server.value("select pg_current_wal_lsn()")
                try await bench.awaitArchived(end)
                let catalog = try await bench.catalog()
                #expect(catalog.timelines.map(\.timeline) == [1, 2] && catalog.problems.isEmpty)
                let fork = try #require(catalog.timelines.last?.ancestors.first?.switchLSN)
                // What the old timeline had begun is kept as the server would have, where it was seen to end.
                #expect(bench.storage.keys.filter { $0.hasSuffix(".partial.zst") }.count == (isBehind ? 1 : 0))
                #expect(try await bench.archived(2).first == fork.rawValue >> 20)
                try await bench.expectUnbroken(1)
                try await bench.expectUnbroken(2)
            }
        }
    }

    /// The server removed what comes next: that is said, and what can be had is had.
    @Test func aHoleIsSaidAndLeftBehind() async throws {
        try await Bench.with { (bench) async throws in
            try await bench.receiving { try await bench.backup() }
            try await bench.server.query("select pg_drop_replication_slot('fleet_orders')")
            for _ in 0..<4 {
                try await bench.write(8)
                try await bench.server.query("select pg_switch_wal()")
                try await bench.server.query("checkpoint")
            }
            let end = try await bench.server.value("select pg_current_wal_lsn()")
            try await bench.receiving {
                try await bench.write(1)
                try await bench.awaitArchived(end)
                #expect(bench.log.text.contains("there is a hole in the archive of orders"))
            }
        }
    }

    @Test func placesAlongTimelines() {
        let history = TimelineHistory(
            timeline: 3,
            ancestors: [
                .init(timeline: 1, switchLSN: LSN(0x580000), reason: ""),
                .init(timeline: 2, switchLSN: LSN(0x820000), reason: ""),
            ])
        func place(_ newest: [TimelineID: UInt64]) -> ReceivePlace {
            ReceivePlace.place(along: history, newest.mapValues { LSN($0) }, 0x100000, LSN(0x912345))
        }
        func at(_ timeline: TimelineID, _ start: UInt64) -> ReceivePlace {
            ReceivePlace(timeline: timeline, containing: LSN(start), segmentSize: 0x100000)
        }
        #expect(place([:]) == at(3, 0x900000))
        #expect(place([3: 0xA00000, 1: 0x500000]) == at(3, 0xA00000))
        #expect(place([1: 0x400000]) == at(1, 0x400000))
        // Up to the segment of the fork, and beyond it: an abandoned future.
        #expect(place([1: 0x500000]) == at(2, 0x500000))
        #expect(place([1: 0x900000]) == at(2, 0x500000))
        #expect(place([1: 0x900000, 2: 0x700000]) == at(2, 0x700000))
        #expect(place([1: 0x900000, 2: 0x800000]) == at(3, 0x800000))
        #expect(place([4: 0xB00000, 2: 0x900000]) == at(3, 0x800000))
    }
}
