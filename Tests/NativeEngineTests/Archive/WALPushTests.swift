import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import NativeEngine

@Suite struct WALPushTests {
    private static func repository() async throws -> MemoryStorage {
        let storage = MemoryStorage()
        _ = try await Repository.openOrCreate(.init(name: "local", storage: storage), TestPassphrase.resolve)
        return storage
    }

    private static func write(_ bytes: [UInt8], _ name: String, in scratch: ScratchDirectory) throws -> String {
        try scratch.directory("pg_wal")
        let path = scratch.path("pg_wal/\(name)")
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    private static func push(
        _ number: UInt64, system: SystemIdentifier = Segments.system, filler: UInt8 = 0, _ agent: Agent,
        _ scratch: ScratchDirectory
    ) async throws -> Int32 {
        let name = Segments.name(number)
        let path = try write(Segments.bytes(name, system: system, filler: filler), name.description, in: scratch)
        return await agent.run("wal-push", path)
    }

    @Test func aSegmentComesBackAsItWas() async throws {
        try await withScratch { (scratch) async throws in
            let agent = Agent(try await Self.repository())
            #expect(try await Self.push(7, filler: 9, agent, scratch) == 0)
            let destination = scratch.path("pg_wal/RECOVERYXLOG")
            #expect(await agent.run("wal-get", Segments.name(7).description, destination) == 0)
            let bytes = try Data(contentsOf: URL(filePath: destination))
            #expect(Array(bytes) == Segments.bytes(Segments.name(7), filler: 9))
            let catalog = try await NativeEngine(resolve: TestPassphrase.resolve).catalog(agent.context)
            #expect(catalog.segments.map(\.name) == [Segments.name(7)])
            #expect(catalog.segments.first?.summary?.systemIdentifier == Segments.system)
            #expect(catalog.problems.isEmpty)
        }
    }

    @Test func theSameAgainIsSuccessAnotherContentIsNot() async throws {
        try await withScratch { (scratch) async throws in
            let storage = try await Self.repository()
            let agent = Agent(storage)
            #expect(try await Self.push(7, filler: 1, agent, scratch) == 0)
            let before = storage.keys.map { storage[$0] }
            #expect(try await Self.push(7, filler: 1, agent, scratch) == 0)
            #expect(agent.log.contains("already"))
            #expect(try await Self.push(7, filler: 2, agent, scratch) == 1)
            #expect(storage.keys.map { storage[$0] } == before)
        }
    }

    @Test func aForeignServerIsRefusedUntilItIsAdmitted() async throws {
        try await withScratch { (scratch) async throws in
            let storage = try await Self.repository()
            let agent = Agent(storage)
            let other = SystemIdentifier(rawValue: 42)
            #expect(try await Self.push(7, agent, scratch) == 0)
            #expect(try await Self.push(8, system: other, agent, scratch) == 1)
            #expect(agent.log.contains("admit"))
            #expect(!storage.keys.contains { $0.contains("/42/") })
            #expect(await agent.run("admit", "42") == 0)
            #expect(try await Self.push(7, system: other, agent, scratch) == 0)
        }
    }

    /// Segments that wait, as the archiver's server has them.
    private static func wait(_ numbers: ClosedRange<UInt64>, in scratch: ScratchDirectory) throws {
        try scratch.directory("pg_wal/archive_status")
        for number in numbers {
            let name = Segments.name(number)
            _ = try write(Segments.bytes(name), name.description, in: scratch)
            try Data().write(to: URL(filePath: scratch.path("pg_wal/archive_status/\(name).ready")))
        }
    }

    private static func names(_ storage: MemoryStorage) -> [String] {
        storage.keys.filter { $0.contains("/wal/") }.compactMap { $0.split(separator: "/").last.map(String.init) }
    }

    @Test func whatWaitsIsStoredMeanwhileAndAcknowledgedWhenAskedFor() async throws {
        try await withScratch { (scratch) async throws in
            let storage = try await Self.repository()
            let agent = Agent(storage)
            try Self.wait(8...11, in: scratch)
            #expect(try await Self.push(7, agent, scratch) == 0)
            #expect(Self.names(storage) == (UInt64(7)...11).map { "\(Segments.name($0)).zst" })
            // Each of them is acknowledged once, from what is noted.
            storage.vanish()
            #expect(await agent.run("wal-push", scratch.path("pg_wal/\(Segments.name(8))")) == 0)
            #expect(await agent.run("wal-push", scratch.path("pg_wal/\(Segments.name(8))")) == 1)
            // Another file of the name, and other repositories, are nothing that was noted.
            #expect(try await Self.push(9, filler: 3, agent, scratch) == 1)
            let both = Agent([("local", storage), ("another", storage)])
            #expect(await both.run("wal-push", scratch.path("pg_wal/\(Segments.name(10))")) == 1)
            #expect(await agent.run("wal-push", scratch.path("pg_wal/\(Segments.name(11))")) == 0)
            storage.vanish(false)
            #expect(try await Self.push(9, filler: 3, agent, scratch) == 1, "it has another content already")
            #expect(try await Self.push(10, agent, scratch) == 0)
        }
    }

    @Test func nothingIsNotedThatIsNotStored() async throws {
        try await withScratch { (scratch) async throws in
            let storage = try await Self.repository()
            let agent = Agent(storage)
            #expect(try await Self.push(6, agent, scratch) == 0)
            var writes = 0
            repeat {
                writes += 1
                try Self.wait(8...12, in: scratch)
                storage.breakAfter(writes: writes)
                let status = try await Self.push(7, agent, scratch)
                storage.breakAfter(writes: nil)
                let stored = Set(Self.names(storage))
                #expect((status == 0) == stored.contains("\(Segments.name(7)).zst"))
                let notes =
                    (try? FileManager.default.contentsOfDirectory(atPath: scratch.path("pg_wal/fleet-pushed"))) ?? []
                #expect(notes.allSatisfy { stored.contains("\($0).zst") }, "after \(writes) writes: \(notes)")
            } while Self.names(storage).count < 7 && writes < 20
            #expect(Self.names(storage).count == 7 && writes > 2)
        }
    }

    @Test func nothingIsSuccessUnlessEveryRepositoryHasIt() async throws {
        try await withScratch { (scratch) async throws in
            let (good, bad) = (try await Self.repository(), try await Self.repository())
            let agent = Agent([("bad", bad), ("good", good)])
            bad.vanish()
            #expect(try await Self.push(7, agent, scratch) == 1)
            #expect(good.keys.contains { $0.hasSuffix("\(Segments.name(7)).zst") })
            bad.vanish(false)
            #expect(try await Self.push(7, agent, scratch) == 0)
        }
    }

    @Test func aRepositoryIsNeverMadeByAPush() async throws {
        try await withScratch { (scratch) async throws in
            let storage = MemoryStorage()
            let agent = Agent(storage)
            #expect(try await Self.push(7, agent, scratch) == 1)
            #expect(storage.keys.isEmpty)
            #expect(agent.log.contains("first backup"))
        }
    }

    @Test func whatIsNotTheFileThatItsNameSaysIsRefused() async throws {
        try await withScratch { (scratch) async throws in
            let agent = Agent(try await Self.repository())
            let segment = Segments.bytes(Segments.name(7))
            for (bytes, name) in [
                (segment, Segments.name(8).description), (Array(segment.dropLast()), Segments.name(7).description),
                (segment + [0], Segments.name(7).description), ([], Segments.name(7).description),
                ([UInt8](repeating: 0, count: 1 << 20), Segments.name(7).description), (segment, "postgresql.conf"),
            ] {
                let path = try Self.write(bytes, name, in: scratch)
                #expect(await agent.run("wal-push", path) == 1, "\(name), \(bytes.count) bytes")
            }
            #expect(await agent.run("wal-push", scratch.path("pg_wal/\(Segments.name(99))")) == 1)
            #expect(await agent.run("wal-push") == 1)
        }
    }

    @Test func historyPartialAndBackupFilesAreArchivedToo() async throws {
        try await withScratch { (scratch) async throws in
            let agent = Agent(try await Self.repository())
            #expect(try await Self.push(7, agent, scratch) == 0)
            let files: [(String, [UInt8])] = [
                ("00000002.history", Array("1\t0/700000\tno recovery target specified\n".utf8)),
                ("\(Segments.name(8)).partial", Segments.bytes(Segments.name(8))),
                ("\(Segments.name(7)).00000028.backup", Array("START WAL LOCATION: 0/700028\n".utf8)),
            ]
            for (name, bytes) in files {
                #expect(await agent.run("wal-push", try Self.write(bytes, name, in: scratch)) == 0)
                #expect(await agent.run("wal-get", name, scratch.path("got")) == 0)
                #expect(Array(try Data(contentsOf: URL(filePath: scratch.path("got")))) == bytes)
            }
            let catalog = try await NativeEngine(resolve: TestPassphrase.resolve).catalog(agent.context)
            #expect(catalog.timelines.map(\.timeline) == [1, 2])
            #expect(catalog.timelines.last?.ancestors.first?.switchLSN == LSN(0x700000))
            #expect(catalog.segments.count == 1)
        }
    }
}
