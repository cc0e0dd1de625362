import FleetPluginAPI
import Testing

@testable import NativeEngine

@Suite struct CopyTests {
    /// Two timelines, a full backup, and an incremental one that needs it.
    private func source(encrypted: Bool = false) async throws -> SyntheticRepository {
        let repository = try await SyntheticRepository(encrypted: encrypted)
        for number in UInt64(1)...6 { try await repository.archiveWhole(number) }
        try await repository.archive(5...7, timeline: 2)
        try await repository.archiveHistory(2, "1\t0/580000\tno recovery target specified\n")
        try await repository.publish("a", 1, 2)
        try await repository.publish("b", kind: .incr, references: ["a"], 3, 4)
        return repository
    }

    private func destination(_ storage: MemoryStorage, encrypted: Bool = false) async throws -> InstanceRepository {
        let repository = EngineContext.Repository(
            name: "offsite", storage: storage, secret: encrypted ? TestPassphrase.secret : nil)
        return try await Repository.openOrCreate(repository, TestPassphrase.resolve).instance("orders")
    }

    private func copy(
        _ source: InstanceRepository, _ destination: InstanceRepository, _ labels: [String] = []
    ) async throws -> CopyReport {
        try await CopyTask(
            source: source, destination: destination,
            request: CopyRequest(key: "k", source: "local", destination: "offsite", backups: labels),
            meter: ProgressMeter("copy", total: nil, emit: { _ in }), log: { _ in }
        ).copy()
    }

    private func damage(_ instance: InstanceRepository) async throws -> [String] {
        try await VerifyTask(
            instance: instance, request: VerifyRequest(key: "v", backups: [], repository: "offsite"),
            meter: ProgressMeter("verify", total: nil, emit: { _ in })
        ).verify().findings.map { "\($0.object): \($0.error)" }
    }

    @Test(arguments: [(false, false), (true, false), (false, true)])
    func aCopyIsWholeAndIsMadeOnce(_ from: Bool, _ to: Bool) async throws {
        let source = try await source(encrypted: from)
        let storage = MemoryStorage()
        let destination = try await destination(storage, encrypted: to)
        let report = try await copy(source.instance, destination)
        #expect(report.copied == ["a", "b"] && report.packs == 2 && report.archivedFiles == 10)
        #expect(report.findings.isEmpty)
        #expect(try await damage(destination).isEmpty)
        let copied = try await InstanceCatalog.read(destination)
        let original = try await InstanceCatalog.read(source.instance)
        #expect(copied.segments == original.segments && copied.timelines == original.timelines)
        #expect(copied.backups.map(\.label) == original.backups.map(\.label))
        // Claims are gone on both sides.
        #expect(!(storage.keys + source.storage.keys).contains { $0.hasSuffix("started.json") })
        let again = try await copy(source.instance, destination)
        #expect(again.present == ["a", "b"] && again.bytes == 0 && again.copied.isEmpty)
    }

    @Test func oneBackupComesWithWhatItNeedsAndTheWALAfterIt() async throws {
        let source = try await source()
        let destination = try await destination(MemoryStorage())
        let report = try await copy(source.instance, destination, ["b"])
        #expect(report.copied == ["b"] && report.packs == 2)
        #expect(try await damage(destination).isEmpty)
        let names = try await InstanceCatalog.read(destination).segments.map(\.name.number)
        #expect(names == [3, 4, 5, 6, 5, 6, 7])
        await #expect(throws: FleetError.self) { try await copy(source.instance, destination, ["c"]) }
    }

    /// Whenever it is broken off: what is listed is whole, and the next one goes on.
    @Test func anInterruptedCopyGoesOn() async throws {
        let source = try await source()
        let whole = MemoryStorage()
        _ = try await copy(source.instance, try await destination(whole))
        for writes in 0..<whole.keys.count + 4 {
            let storage = MemoryStorage()
            let destination = try await destination(storage)
            storage.breakAfter(writes: writes)
            _ = try? await copy(source.instance, destination)
            storage.breakAfter(writes: nil)
            // Segments after the backups come side by side: a hole among them is filled by the next one.
            let damage = try await damage(destination).filter { !$0.contains("WAL is missing: ") }
            #expect(damage == [], "after \(writes) writes")
            // Its writer has died.
            storage.age("instances/orders/backups/", by: .seconds(3600))
            source.storage.age("instances/orders/backups/", by: .seconds(3600))
            let report = try await copy(source.instance, destination)
            #expect(Set(report.copied + report.present) == ["a", "b"], "after \(writes) writes")
            #expect(try await self.damage(destination) == [], "after \(writes) writes")
        }
    }

    @Test func twoCopiesOfABackupDoNotMeet() async throws {
        let source = try await source()
        let storage = MemoryStorage()
        let destination = try await destination(storage)
        let other = ClaimKeeper(
            instance: destination, label: "a", kind: .full, key: "other", at: .now, parents: [])
        try await other.takeOver()
        let report = try await copy(source.instance, destination)
        #expect(report.copied == ["b"] && report.findings.map(\.error.code) == [.conflict])
    }

    @Test func damageIsNotCopied() async throws {
        let source = try await source()
        let key = source.instance.keys.pack("b/00000000")
        source.storage[key]?[60] ^= 0x7F
        let destination = try await destination(MemoryStorage())
        let report = try await copy(source.instance, destination)
        #expect(report.copied == ["a"] && report.findings.map(\.object) == ["b"])
        #expect(report.findings[0].error.code == .corrupted)
        #expect(try await damage(destination).isEmpty)
    }

    @Test func anotherServersRepositoryIsRefused() async throws {
        let source = try await source()
        let destination = try await destination(MemoryStorage())
        try await destination.admitWriter(SystemIdentifier(rawValue: 77))
        let error = await #expect(throws: FleetError.self) { try await copy(source.instance, destination) }
        #expect(error?.code == .refused)
    }

    /// An expiry beside it leaves what is being copied.
    @Test func theSourceIsKeptMeanwhile() async throws {
        let source = try await source()
        try await source.publish("c", 5, 6)
        let claim = ClaimKeeper(instance: source.instance, kind: .full, key: "copy", at: .now, parents: ["a"])
        try await claim.take()
        #expect(try await source.expire(keep: 1).removed == ["b"])
        try await claim.drop()
        #expect(try await source.expire(keep: 1).removed == ["a"])
    }
}
