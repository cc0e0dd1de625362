import FleetPluginAPI
import Testing

@testable import NativeEngine

/// Every object of a repository is damaged in every way: verify finds it and names it.
@Suite struct DamageTests {
    private static func repository(encrypted: Bool = false) async throws -> SyntheticRepository {
        let repository = try await SyntheticRepository(encrypted: encrypted)
        try await repository.archive(1...5)
        try await repository.archive(5...6, timeline: 2)
        try await repository.archiveHistory(2, "1\t0/580000\tno recovery target specified\n")
        try await repository.publish("a", 1, 2)
        try await repository.publish("b", 3, 4)
        try await repository.claim("c", parents: ["b"])
        return repository
    }

    @Test(arguments: [false, true]) func everyDamageIsFoundAndNamed(_ encrypted: Bool) async throws {
        let original = try await Self.repository(encrypted: encrypted).storage
        #expect(await Agent(original.copy(), encrypted: encrypted).run("verify", Self.request) == 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in original.keys {
                guard let bytes = original[key] else { continue }
                group.addTask { try await Self.damage(key, bytes, original, encrypted) }
            }
            try await group.waitForAll()
        }
    }

    private static let request = #"{"backups":[],"key":"v","repository":"local"}"#

    private static func damage(
        _ key: String, _ bytes: [UInt8], _ original: MemoryStorage, _ encrypted: Bool
    ) async throws {
        var damages: [(String, [UInt8])] = [
            ("empty", []), ("cut", Array(bytes.dropLast())), ("longer", bytes + [0]), ("doubled", bytes + bytes),
        ]
        for position in stride(from: 0, to: bytes.count, by: 5) {
            var flipped = bytes
            flipped[position] ^= 1 << UInt8([0, 1, 2, 3, 4, 6, 7][position % 7])
            damages.append(("flipped at \(position)", flipped))
        }
        for sibling in original.keys where sibling != key && kind(sibling) == kind(key) {
            damages.append(("swapped with \(sibling)", original[sibling] ?? []))
        }
        for (damage, content) in damages {
            let storage = original.copy()
            storage[key] = content
            await expectFound(key, damage, storage, encrypted)
        }
        // What was removed whole is missed where something needs it: not claims, and not WAL beyond the backups.
        guard !key.hasSuffix("started.json"), !key.hasSuffix("backup.json"), !key.contains("/wal/") || isNeeded(key)
        else { return }
        let storage = original.copy()
        storage[key] = nil
        await expectFound(key, "missing", storage, encrypted)
    }

    private static func isNeeded(_ key: String) -> Bool {
        (1...4 as ClosedRange<UInt64>).contains { key.hasSuffix("/\(Segments.name($0)).zst") }
    }

    private static func kind(_ key: String) -> Substring? {
        key.contains("/wal/") ? key.split(separator: ".").dropFirst().first : key.split(separator: "/").last
    }

    private static func expectFound(
        _ key: String, _ damage: String, _ storage: MemoryStorage, _ encrypted: Bool, _ request: String = request
    ) async {
        let agent = Agent(storage, encrypted: encrypted)
        let status = await agent.run("verify", request)
        #expect(status == 1, "\(key) \(damage)")
        let parts = key.split(separator: "/")
        let label = key.contains("/backups/") || key.contains("/packs/") ? parts[3] : parts[parts.count - 1]
        #expect(agent.log.contains(label), "\(key) \(damage): \(agent.log)")
        #expect(agent.failure != nil)
    }

    /// Without reading it: what is missing, cut short or refers to nothing.
    @Test func aQuickLookFindsWhatIsMissing() async throws {
        let request = #"{"backups":[],"key":"v","repository":"local","share":0}"#
        let sound = try await Self.repository()
        let agent = Agent(sound.storage)
        #expect(await agent.run("verify", request) == 0)
        #expect(agent.result?["share"]?.integer == 0 && agent.result?["bytes"]?.integer == 0)
        #expect(agent.result?["packs"]?.integer == 2 && agent.result?["backups"]?.integer == 2)
        for key in sound.storage.keys where !key.hasSuffix("started.json") {
            guard !key.hasSuffix("backup.json"), !key.contains("/wal/") || Self.isNeeded(key) else { continue }
            let storage = sound.storage.copy()
            storage[key] = nil
            await Self.expectFound(key, "missing", storage, false, request)
            if key.hasSuffix(".pack") {
                storage[key] = Array(try #require(sound.storage[key]).dropLast())
                await Self.expectFound(key, "cut", storage, false, request)
            }
        }
    }

    @Test func aSampleReadsItsShare() async throws {
        let repository = try await SyntheticRepository()
        for number in 0..<200 as Range<UInt64> { try await repository.publish("b\(100 + number)", 1, 1) }
        try await repository.archive(1...1)
        let agent = Agent(repository.storage)
        #expect(await agent.run("verify", #"{"backups":[],"key":"v","repository":"local","share":25}"#) == 0)
        let read = try #require(agent.result?["chunks"]?.integer)
        #expect((15...95).contains(read) && agent.result?["packs"]?.integer == 200, "\(read)")
    }

    @Test func aDamagedObjectCostsOnlyItselfInTheCatalog() async throws {
        let repository = try await Self.repository()
        let agent = Agent(repository.storage)
        let engine = try NativeEngine(resolve: TestPassphrase.resolve)
        #expect(try await engine.catalog(agent.context).backups.map(\.label) == ["a", "b"])
        repository.storage[repository.instance.keys.document("a")] = [1, 2, 3]
        repository.storage[repository.instance.keys.manifest("b")] = nil
        let segment = try #require(repository.storage.keys.first { $0.hasSuffix("\(Segments.name(3)).zst") })
        repository.storage[segment] = [1, 2, 3]
        let catalog = try await engine.catalog(agent.context)
        #expect(catalog.backups.map(\.label) == ["b"] && catalog.backups.first?.problem != nil)
        #expect(catalog.segments.map(\.name.number) == [1, 2, 4, 5, 5, 6])
        #expect(Set(catalog.problems.map(\.subject)) == ["a", "b", Segments.name(3).description])
        #expect(catalog.timelines.map(\.timeline) == [1, 2])
    }

    @Test func aRepositoryThatCannotBeReadIsAProblemUnlessItIsTheOnlyOne() async throws {
        let (one, other) = (try await Self.repository(), try await SyntheticRepository())
        let agent = Agent([("gone", other.storage), ("local", one.storage)])
        other.storage.vanish()
        let catalog = try await NativeEngine(resolve: TestPassphrase.resolve).catalog(agent.context)
        #expect(catalog.backups.count == 2 && catalog.problems.map(\.subject) == ["gone"])
        one.storage.vanish()
        let error = await #expect(throws: FleetError.self) {
            try await NativeEngine(resolve: TestPassphrase.resolve).catalog(agent.context)
        }
        #expect(error?.code == .unavailable)
    }

    @Test func formatsAndSchemesThatAreNotKnownAreRefused() async throws {
        for change in [#""format":1"#: #""format":2"#, #""scheme":"none""#: #""scheme":"aes""#] {
            let repository = try await Self.repository()
            let text = String(decoding: try #require(repository.storage[RepositoryMarker.key]), as: UTF8.self)
            let line = try #require(text.split(separator: "\n").first).replacing(change.key, with: change.value)
            let seal = #"{"sha256":"\#(ContentHash(of: Array(line.utf8)))"}"#
            repository.storage[RepositoryMarker.key] = Array("\(line)\n\(seal)\n".utf8)
            let agent = Agent(repository.storage)
            await #expect(throws: FleetError.self) {
                try await NativeEngine(resolve: TestPassphrase.resolve).catalog(agent.context)
            }
            #expect(await agent.run("verify", Self.request) == 1)
            #expect(await agent.run("wal-get", "00000009.history", "/nonexistent/x") >= 200)
            #expect(await agent.run("wal-get", Segments.name(1).description, "/nonexistent/x") >= 200)
        }
    }
}
