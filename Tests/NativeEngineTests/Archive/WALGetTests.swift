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

    /// Whole segments from 7 on, as a recovery asks for them.
    private static func archive(_ numbers: ClosedRange<UInt64>) async throws -> SyntheticRepository {
        let repository = try await SyntheticRepository()
        for number in numbers { try await repository.archiveWhole(number) }
        return repository
    }

    private static func stash(in directory: String) -> [String] {
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? []
        return files.filter { $0.hasPrefix("fleet-ahead-") }.compactMap { path in
            path.contains("/") ? String(path.split(separator: "/")[1].suffix(2)) : nil
        }.sorted()
    }

    @Test func fromTheSecondSegmentOnItReadsAhead() async throws {
        try await withScratch { (scratch) async throws in
            let repository = try await Self.archive(7...13)
            let agent = Agent(repository.storage)
            let directory = try scratch.directory("pg_wal")
            func get(_ number: UInt64) async throws -> Int32 {
                let path = "\(directory)/RECOVERYXLOG"
                let status = await agent.run("wal-get", Segments.name(number).description, path)
                guard status == 0 else { return status }
                let content = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
                #expect(content == Segments.bytes(Segments.name(number), filler: UInt8(number)))
                return status
            }
            #expect(try await get(7) == 0)
            #expect(Self.stash(in: directory).isEmpty, "one segment is no recovery")
            #expect(try await get(8) == 0)
            #expect(Self.stash(in: directory) == ["09", "0A", "0B"])
            // They need no repository; what follows does.
            repository.storage.vanish()
            for number in 9...11 as ClosedRange<UInt64> { #expect(try await get(number) == 0) }
            #expect(Self.stash(in: directory).isEmpty)
            #expect(try await get(12) >= 200)
            repository.storage.vanish(false)
            #expect(try await get(12) == 0)
            #expect(Self.stash(in: directory) == ["0D"], "what is not there yet is no fault")
            #expect(try await get(14) == 1)
            // At its end recovery looks for a further timeline.
            #expect(await agent.run("wal-get", "00000002.history", "\(directory)/RECOVERYHISTORY") == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["RECOVERYXLOG"])
        }
    }

    @Test func whatCannotBeReadAheadIsAFaultOnlyWhenItIsAskedFor() async throws {
        try await withScratch { (scratch) async throws in
            let repository = try await Self.archive(7...11)
            let agent = Agent(repository.storage)
            let directory = try scratch.directory("pg_wal")
            let key = try #require(repository.storage.keys.first { $0.hasSuffix("\(Segments.name(10)).zst") })
            repository.storage[key] = Array(try #require(repository.storage[key]).dropLast())
            for number in [7, 8] as [UInt64] {
                #expect(await agent.run("wal-get", Segments.name(number).description, "\(directory)/x") == 0)
            }
            #expect(Self.stash(in: directory) == ["09", "0B"])
            #expect(await agent.run("wal-get", Segments.name(10).description, "\(directory)/x") == 202)
        }
    }

    /// Nothing there was fsynced: after a power cut it may be anything. And another server's segments have the same names.
    @Test(arguments: [false, true]) func whatAnotherBootOrServerLeftIsThrownAway(_ isOfThisBoot: Bool) async throws {
        let boot =
            isOfThisBoot ? try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8) : "another"
        try await withScratch { (scratch) async throws in
            let repository = try await Self.archive(7...11)
            let directory = try scratch.directory("pg_wal")
            let old = try #require(ReadAhead(beside: "\(directory)/x", system: Segments.system, boot: Array(boot.utf8)))
            #expect(!old.begin() && old.begin())
            let header = WALObjectHeader(
                name: Segments.name(7).description, kind: .segment, systemIdentifier: Segments.system, size: 3,
                sha256: ContentHash(of: [1, 2, 3]), archivedAt: .now)
            let object = try WALObject.encode(header, [1, 2, 3], level: 1)
            old.keep(
                ArchivedObject(key: "it", header: header, bytes: object), of: WALFileName(Segments.name(7)))
            let agent = Agent(repository.storage)
            #expect(await agent.run("wal-get", Segments.name(7).description, "\(directory)/x") == 0)
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/x")).count == Int(Segments.size))
            let left = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(left.count == 2 && !left.contains { $0.contains("\(Segments.system)") }, "\(left)")
            for boot in [nil, []] as [[UInt8]?] { #expect(ReadAhead(beside: "/x", system: nil, boot: boot) == nil) }
        }
    }
}
