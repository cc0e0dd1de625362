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
