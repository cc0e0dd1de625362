import Crypto
import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import NativeEngine

/// What an encrypted repository shows, and to whom.
@Suite struct EncryptionTests {
    private static let size = RepositoryCipher.segmentSize
    private let cipher = RepositoryCipher(SymmetricKey(size: .bits256))

    private func content(_ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 8) }
    }

    @Test(arguments: StorageConformance.cases)
    func conforms(_ rule: StorageConformance.Rule) async throws {
        // A key that leads elsewhere is for the storage below to refuse.
        guard rule.description != "keys that lead elsewhere are refused" else { return }
        try await rule.check(EncryptedStorage(MemoryStorage(), cipher))
    }

    @Test(arguments: [0, 1, size - 1, size, size + 1, 2 * size, 5 * size + 77])
    func everyPartIsRead(_ size: Int) async throws {
        let content = content(size)
        let base = MemoryStorage()
        let storage = EncryptedStorage(base, cipher)
        try await storage.put("object", content, condition: .absent)
        #expect(try await storage.get("object") == content)
        #expect(base["object"]?.count == RepositoryCipher.storedSize(of: size))
        #expect(try await storage.head("object")?.size == Int64(size))
        #expect(try await storage.list("", after: nil, limit: 9).objects.map(\.size) == [Int64(size)])
        let edges = [
            0, 1, 77, Self.size - 1, Self.size, Self.size + 1, 2 * Self.size, size - 1, size, size + 1, size + 99_999,
        ]
        for start in edges where start >= 0 {
            for end in edges where end > start {
                // By one that reads it for the first time, and by one that knows it.
                for reader in [EncryptedStorage(base, cipher), storage] {
                    let part = try await reader.get("object", range: Int64(start)..<Int64(end))
                    #expect(part == Array(content[min(start, size)..<min(end, size)]), "\(start)..<\(end)")
                }
            }
        }
    }

    @Test func whatWasMovedCutOrJoinedDoesNotOpen() async throws {
        let base = MemoryStorage()
        let storage = EncryptedStorage(base, cipher)
        try await storage.put("one", content(3 * Self.size), condition: .absent)
        try await storage.put("other", content(3 * Self.size), condition: .absent)
        let one = try #require(base["one"])
        let header = RepositoryCipher.headerSize
        let segment = RepositoryCipher.storedSegmentSize
        let (first, second) = (header..<header + segment, header + segment..<header + 2 * segment)
        let damages: [[UInt8]] = [
            base["other"] ?? [], Array(one.dropLast(segment)), Array(one.dropLast()), one + [0],
            Array(one.prefix(header)),
            Array(one[..<header] + one[second] + one[first] + one[second.upperBound...]),
            Array(one[..<first.upperBound] + one[first] + one[second.upperBound...]),
            Array(one[..<header] + one[second] + one[second.upperBound...]), [], content(100),
        ]
        for damaged in damages {
            base["one"] = damaged
            let error = await #expect(throws: FleetError.self) {
                _ = try await EncryptedStorage(base, cipher).get("one")
            }
            #expect(error?.code == .corrupted && error?.message.contains("one") == true)
        }
        base["one"] = one
        #expect(try await storage.get("one") == content(3 * Self.size))
        await #expect(throws: FleetError.self) {
            _ = try await EncryptedStorage(base, RepositoryCipher(SymmetricKey(size: .bits256))).get("one")
        }
    }

    @Test func nothingTellsWhatItIs() async throws {
        let repository = try await SyntheticRepository(encrypted: true)
        try await repository.archive(1...3)
        try await repository.publish("backup-a", 1, 2)
        let (words, storage) = (
            ["orders", Segments.system.description, "zstd", "FLTPACK1", "FLTWAL_1"], repository.storage
        )
        for key in storage.keys {
            #expect(!key.contains("orders"))
            let bytes = try #require(storage[key])
            let text = String(decoding: bytes, as: UTF8.self)
            for word in words + [TestPassphrase.text] { #expect(!text.contains(word), "\(word) in \(key)") }
        }
    }

    /// What fleet.yaml says must be what the repository is; every verb refuses all else, and restore_command does so with
    /// a status that never ends a recovery.
    @Test func onlyThePassphraseOpensIt() async throws {
        let encrypted = try await SyntheticRepository(encrypted: true)
        let plain = try await SyntheticRepository()
        let wrong: SecretResolver = { _ in Secret("another") }
        let empty: SecretResolver = { _ in Secret("") }
        let cases: [(Agent, FleetError.Code)] = [
            (Agent(encrypted.storage, encrypted: true, resolve: wrong), .denied),
            (Agent(encrypted.storage, encrypted: true, resolve: empty), .configuration),
            (Agent(encrypted.storage), .configuration),
            (Agent(plain.storage, encrypted: true), .configuration),
        ]
        for (agent, code) in cases {
            #expect(await agent.run("verify", #"{"backups":[],"key":"v","repository":"local"}"#) != 0)
            #expect(agent.failure?.code == code && agent.failure?.hint != nil, "\(String(describing: agent.failure))")
            #expect(await agent.run("wal-get", "00000009.history", "/nonexistent/x") >= 200)
            #expect(!agent.log.contains("another"))
        }
        #expect(
            await Agent(encrypted.storage, encrypted: true)
                .run("verify", #"{"backups":[],"key":"v","repository":"local"}"#) == 0)
    }

    @Test func anotherPassphraseIsGivenToIt() async throws {
        let repository = try await SyntheticRepository(encrypted: true)
        try await repository.publish("a", 1, 1)
        let before = repository.storage.copy()
        let verify = #"{"backups":[],"key":"v","repository":"local","share":0}"#
        func opens(_ text: String) async -> Bool {
            let agent = Agent(repository.storage, encrypted: true) { _ in Secret(text) }
            return await agent.run("verify", verify) != 0 ? agent.failure?.code != .denied : true
        }
        let changer: SecretResolver = { reference in
            if case .file("/new") = reference { return Secret("new") }
            if case .file("/key") = reference { return Secret(" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n") }
            return try await TestPassphrase.resolve(reference)
        }
        let agent = Agent(repository.storage, encrypted: true, resolve: changer)
        #expect(await agent.run("passphrase", "local", "/new") == 0)
        let both = (await opens("new"), await opens(TestPassphrase.text))
        #expect(both == (true, true))
        #expect(await agent.run("passphrase", "local", "/new", "--only") == 0)
        let one = (await opens("new"), await opens(TestPassphrase.text))
        #expect(one == (true, false))
        let changed = repository.storage.keys.filter { repository.storage[$0] != before[$0] }
        #expect(changed == [RepositoryMarker.key], "what is stored stays as it is")
        #expect(!agent.log.contains(TestPassphrase.text) && !agent.log.contains("Secret"))

        // A key of a management service opens it as well, and is told from a passphrase of the same letters.
        #expect(await agent.run("passphrase", "local", "/key", "--key") != 0, "fleet.yaml's opens it no more")
        let renewed = Agent(repository.storage, encrypted: true) { reference in
            if reference == TestPassphrase.reference { return Secret("new") }
            return try await changer(reference)
        }
        #expect(await renewed.run("passphrase", "local", "/key", "--key", "--only") == 0, "\(renewed.log)")
        var keyed = EngineContext.Repository(name: "local", storage: repository.storage, secret: .key(.file("/key")))
        #expect(try await Repository.open(keyed, changer).instance("orders").record() != nil)
        keyed.secret = .passphrase(.file("/key"))
        await #expect(throws: FleetError.self) { try await Repository.open(keyed, changer) }
        keyed.secret = .key(.file("/new"))
        let error = await #expect(throws: FleetError.self) { try await Repository.open(keyed, changer) }
        #expect(error?.code == .configuration && error?.message.contains("32 bytes") == true)
        #expect(repository.storage.keys.filter { repository.storage[$0] != before[$0] } == [RepositoryMarker.key])

        // Only who can open it may let others in, and only what is encrypted has passphrases.
        let other = Agent(repository.storage, encrypted: true) { _ in Secret("another") }
        #expect(await other.run("passphrase", "local", "/new") != 0)
        #expect(other.failure?.code == .denied)
        let plain = Agent(try await SyntheticRepository().storage, resolve: changer)
        #expect(await plain.run("passphrase", "local", "/new") != 0)
        #expect(plain.failure?.code == .refused)
        #expect(await agent.run("passphrase", "local") != 0)
        #expect(await agent.run("passphrase", "local", "relative") != 0)
    }

    @Test func eachSlotOpensTheSameKeyAndIsBoundToItsRepository() throws {
        let key = SymmetricKey(size: .bits256)
        let slots = try ["one", "two"].map { try KeySlot(key, secret: .passphrase(Array($0.utf8)), repository: "id") }
        for (slot, word) in zip(slots, ["one", "two"]) {
            #expect(try slot.open(.passphrase(Array(word.utf8)), repository: "id") == key)
            #expect(try slot.open(.passphrase(Array("three".utf8)), repository: "id") == nil)
            #expect(try slot.open(.passphrase(Array(word.utf8)), repository: "another") == nil)
        }
        var hostile = slots[0]
        for rounds in [0, 3, 1 << 40, Int.max] {
            hostile.rounds = rounds
            #expect(throws: FleetError.self) { try hostile.open(.passphrase([1]), repository: "id") }
        }
    }
}
