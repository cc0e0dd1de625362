import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import NativeEngine

/// PostgreSQL promotes on exit statuses 1 to 125: only a certain "not in the archive" may be one of them.
@Suite struct WALGetTests {
    private static func archive(_ filler: UInt8 = 0) async throws -> (MemoryStorage, String) {
        let storage = MemoryStorage()
        let instance = try await Repository.openOrCreate(.init(name: "local", storage: storage), TestPassphrase.resolve)
            .instance("orders")
        try await instance.admitWriter(Segments.system)
        let content = Segments.bytes(Segments.name(7), filler: filler)
        let file = WALFileName(Segments.name(7))
        let key = instance.keys.wal(file, Segments.system)
        let header = WALObjectHeader(
            name: file.text, kind: .segment, systemIdentifier: Segments.system, size: Int64(content.count),
            sha256: ContentHash(of: content), segmentSize: Segments.size, archivedAt: .now, summary: nil)
        storage[key] = try WALObject.encode(header, content, level: 1)
        return (storage, key)
    }

    private static let wanted = Segments.name(7).description
    private static let missing = Segments.name(8).description

    @Test func whatIsNotThereIsOne() async throws {
        try await withScratch { (scratch) async throws in
            let (storage, _) = try await Self.archive()
            let agent = Agent(storage)
            #expect(await agent.run("wal-get", Self.missing, scratch.path("x")) == 1)
            #expect(await agent.run("wal-get", "00000002.history", scratch.path("x")) == 1)
            #expect(!FileManager.default.fileExists(atPath: scratch.path("x")))
        }
    }

    @Test func everyFaultIsAbove199() async throws {
        try await withScratch { (scratch) async throws in
            let (storage, key) = try await Self.archive()
            let agent = Agent(storage)
            let marker = storage[RepositoryMarker.key]
            let record = storage["instances/orders/instance.json"]
            let destination = scratch.path("x")

            storage.vanish()
            #expect(await agent.run("wal-get", Self.missing, destination) >= 200)
            #expect(await agent.run("wal-get", Self.wanted, destination) >= 200)
            storage.vanish(false)

            // An empty place where the repository was, as an unmounted disk leaves it.
            #expect(await Agent(MemoryStorage()).run("wal-get", Self.missing, destination) >= 200)
            storage[RepositoryMarker.key] = nil
            #expect(await agent.run("wal-get", Self.missing, destination) >= 200)
            storage[RepositoryMarker.key] = marker
            storage["instances/orders/instance.json"] = nil
            #expect(await agent.run("wal-get", Self.missing, destination) >= 200)
            storage["instances/orders/instance.json"] = record

            #expect(await agent.run("wal-get", Self.wanted, scratch.path("no/such/directory")) >= 200)
            #expect(await agent.run("wal-get", "nonsense", destination) >= 200)
            #expect(await agent.run("wal-get") >= 200)
            #expect(await Agent([]).run("wal-get", Self.wanted, destination) >= 200)

            var damaged = try #require(storage[key])
            damaged[damaged.count / 2] ^= 1
            storage[key] = damaged
            #expect(await agent.run("wal-get", Self.wanted, destination) >= 200)
            storage[key] = []
            #expect(await agent.run("wal-get", Self.wanted, destination) >= 200)
            #expect(!FileManager.default.fileExists(atPath: destination))
        }
    }

    @Test func anotherRepositoryHelpsOutButAFaultNeverCountsAsAnAnswer() async throws {
        try await withScratch { (scratch) async throws in
            let (good, _) = try await Self.archive(3)
            let (bad, key) = try await Self.archive(3)
            bad[key] = Array((bad[key] ?? []).dropLast())
            let agent = Agent([("bad", bad), ("good", good)])
            #expect(await agent.run("wal-get", Self.wanted, scratch.path("x")) == 0)
            #expect(
                Array(try Data(contentsOf: URL(filePath: scratch.path("x"))))
                    == Segments.bytes(Segments.name(7), filler: 3))
            bad.vanish()
            #expect(await agent.run("wal-get", Self.missing, scratch.path("y")) >= 200)
        }
    }

    @Test func anObjectUnderAnotherNameIsNotGivenOut() async throws {
        try await withScratch { (scratch) async throws in
            let (storage, key) = try await Self.archive()
            storage[key.replacing(Self.wanted, with: Self.missing)] = storage[key]
            #expect(await Agent(storage).run("wal-get", Self.missing, scratch.path("x")) >= 200)
        }
    }
}
