import FleetPluginAPI
import Testing

@testable import NativeEngine

@Suite struct RepairTests {
    private static func repository() async throws -> SyntheticRepository {
        let repository = try await SyntheticRepository()
        for number in UInt64(1)...6 { try await repository.archiveWhole(number) }
        try await repository.publish("a", 1, 2)
        try await repository.publish("b", 4, 5)
        return repository
    }

    private static func repair(
        _ storage: MemoryStorage, from others: [MemoryStorage] = [], dryRun: Bool = false
    ) async throws -> RepairReport {
        func instance(_ storage: MemoryStorage) async throws -> InstanceRepository {
            try await Repository.open(.init(name: "local", storage: storage), TestPassphrase.resolve).instance("orders")
        }
        var sources: [InstanceRepository] = []
        for other in others { sources.append(try await instance(other)) }
        return try await RepairTask(
            instance: instance(storage), others: sources,
            request: RepairRequest(key: "r", repository: "local", isDryRun: dryRun),
            meter: ProgressMeter("verify", total: nil, emit: { _ in }), log: { _ in }
        ).repair()
    }

    @Test func nothingIsDoneWhereAllIsWhole() async throws {
        let storage = try await Self.repository().storage
        let before = storage.keys
        let report = try await Self.repair(storage)
        #expect(report == RepairReport(isDryRun: false, whole: ["a", "b"]) && storage.keys == before)
    }

    /// Each object in turn is damaged, or lost: it comes back from the other repository, byte for byte.
    @Test func everyObjectIsMendedFromACopy() async throws {
        let original = try await Self.repository().storage
        for key in original.keys where !key.hasPrefix("fleet-repository") {
            for isLost in [false, true] {
                // A backup whose document is gone is no backup any more, and WAL after all others is not missed.
                if isLost, key.hasSuffix("backup.json") || key.contains("0006.zst") { continue }
                let storage = original.copy()
                storage[key] = isLost ? nil : original[key].map { bytes in bytes.map { $0 ^ 0x55 } }
                let dry = try await Self.repair(storage, from: [original], dryRun: true)
                #expect(storage[key] != original[key] && !dry.mended.isEmpty, "\(key)")
                let report = try await Self.repair(storage, from: [original])
                #expect(report.mended == dry.mended && report.whole == ["a", "b"], "\(key): \(report)")
                #expect(
                    report.damaged.isEmpty && report.lostWAL.isEmpty && report.findings.isEmpty, "\(key): \(report)")
                #expect(storage[key] == original[key], "\(key)")
                #expect(storage.keys == original.keys, "\(key)")
            }
        }
    }

    @Test func whatIsLostIsNamedAndNoLongerUsed() async throws {
        let repository = try await Self.repository()
        let key = repository.instance.keys.pack("b/00000000")
        let whole = repository.storage[key]
        repository.storage[key]?[35] ^= 0x7F
        let report = try await Self.repair(repository.storage)
        #expect(report.whole == ["a"] && report.damaged.map(\.label) == ["b"])
        #expect(report.damaged.first?.files == 1 && report.damaged.first?.examples == ["file"])
        let catalog = try await InstanceCatalog.read(repository.instance)
        #expect(catalog.backups.map { $0.problem != nil } == [false, true])
        // It does not count as kept, and nothing builds upon it.
        #expect(try await repository.expire(keep: 1, dryRun: true).removed == [])
        let base = try await BackupBase.newest(
            for: .incr, of: Segments.system, in: repository.instance, log: { _ in })
        #expect(base?.record.label == "a")
        // Once it is whole again it is used again.
        repository.storage[key] = whole
        #expect(try await Self.repair(repository.storage).whole == ["a", "b"])
        #expect(try await InstanceCatalog.read(repository.instance).backups.allSatisfy { $0.problem == nil })
    }

    /// A flipped bit in a part of a pack that a backup has no chunk in is no loss to it.
    @Test func onlyWhatIsReallyLostIsLost() async throws {
        let repository = try await Self.repository()
        try await repository.publish("c", kind: .incr, references: ["a"], 6, 6)
        let key = repository.instance.keys.pack("a/00000000")
        let bytes = try #require(repository.storage[key])
        // In the footer's checksum.
        repository.storage[key]?[bytes.count - 20] ^= 1
        let report = try await Self.repair(repository.storage)
        #expect(report.damaged.isEmpty && report.whole == ["a", "b", "c"])
        repository.storage[key] = nil
        #expect(try await Self.repair(repository.storage).damaged.map(\.label) == ["a"])
    }

    @Test func damagedWALIsSetAside() async throws {
        let repository = try await Self.repository()
        let name = Segments.name(3)
        let key = repository.instance.keys.wal(WALFileName(name), Segments.system)
        repository.storage[key]?[200] ^= 0x7F
        let damaged = repository.storage[key]
        #expect(try await Self.repair(repository.storage, dryRun: true).lostWAL == [name.description])
        #expect(repository.storage[key] == damaged)
        let report = try await Self.repair(repository.storage)
        #expect(report.lostWAL == [name.description] && report.whole == ["a", "b"])
        #expect(repository.storage[key] == nil && repository.storage[repository.instance.keys.aside(key)] == damaged)
        #expect(try await InstanceCatalog.read(repository.instance).segments.map(\.name.number) == [1, 2, 4, 5, 6])
    }

    @Test func aBackupWithoutItsOwnWALIsDamaged() async throws {
        let repository = try await Self.repository()
        repository.storage[repository.instance.keys.wal(WALFileName(Segments.name(5)), Segments.system)] = nil
        let report = try await Self.repair(repository.storage)
        #expect(report.damaged.map(\.label) == ["b"] && report.damaged.first?.cause.contains("WAL") == true)
    }

    /// What an expiry removed behind a held backup is not missed.
    @Test func whatWasRemovedOnPurposeIsNotBroughtBack() async throws {
        let repository = try await Self.repository()
        let whole = repository.storage.copy()
        try await repository.instance.setHold(
            BackupHold(reason: "audit", holder: "ada", since: .now), on: "a")
        _ = try await repository.expire(keep: 1)
        let left = repository.segments()
        let report = try await Self.repair(repository.storage, from: [whole])
        #expect(report.mended == [] && report.whole == ["a", "b"])
        #expect(repository.segments() == left)
    }
}
