import FleetPluginAPI
import Testing

@testable import NativeEngine

/// Two full backups of three segments each, seven segments apart: 1–3 and 8–10, and WAL from 1 to 12.
@Suite struct HoldTests {
    private let repository: SyntheticRepository

    init() async throws {
        repository = try await SyntheticRepository()
        try await repository.publish("a", 1, 3)
        try await repository.publish("b", 8, 10)
        for number in UInt64(1)...12 { try await repository.archiveWhole(number) }
    }

    private func hold(until: Timestamp? = nil) -> BackupHold {
        BackupHold(reason: "audit", holder: "ada", since: .now, until: until)
    }

    private func verify() async throws -> [VerifyReport.Finding] {
        try await VerifyTask(
            instance: repository.instance, request: VerifyRequest(key: "v", backups: [], repository: "local"),
            meter: ProgressMeter("verify", total: nil, emit: { _ in })
        ).verify().findings
    }

    @Test func aHeldBackupStaysWithItsOwnWALAlone() async throws {
        try await repository.instance.setHold(hold(), on: "a")
        let preview = try await repository.expire(keep: 1, dryRun: true)
        #expect(preview.held == ["a"] && preview.removed == [] && preview.removedWAL.count == 4)
        #expect(repository.segments() == Array(1...12))
        let report = try await repository.expire(keep: 1)
        #expect(report.held == ["a"] && report.kept == ["b"] && report.removed == [])
        #expect(repository.backups == ["a", "b"])
        #expect(repository.segments() == [1, 2, 3, 8, 9, 10, 11, 12])
        let catalog = try await InstanceCatalog.read(repository.instance)
        #expect(catalog.backups.map(\.isIsolated) == [true, nil])
        #expect(catalog.backups.first?.hold?.reason == "audit" && catalog.problems.isEmpty)
        // What was removed on purpose is no damage; what is missing elsewhere is.
        #expect(try await verify().isEmpty)
        try await repository.storage.delete(
            repository.instance.keys.wal(WALFileName(Segments.name(11)), Segments.system))
        #expect(try await verify().count == 1)
    }

    @Test func aBackupThatIsLetGoIsRemoved() async throws {
        try await repository.instance.setHold(hold(), on: "a")
        _ = try await repository.expire(keep: 1)
        try await repository.instance.releaseHold(on: "a")
        let report = try await repository.expire(keep: 1)
        #expect(report.removed == ["a"] && report.held == [])
        #expect(repository.backups == ["b"] && repository.segments() == Array(8...12))
        #expect(!repository.storage.keys.contains { $0.contains("/a/") })
    }

    @Test func aHoldEndsByItself() async throws {
        try await repository.instance.setHold(hold(until: .now - .seconds(1)), on: "a")
        #expect(try await repository.expire(keep: 1).removed == ["a"])
    }

    /// Unknown is not "may be removed".
    @Test func aDamagedHoldHolds() async throws {
        try await repository.storage.put(repository.instance.keys.hold("a"), [1, 2, 3], condition: .any)
        let report = try await repository.expire(keep: 1)
        #expect(report.held == ["a"] && report.remarks.contains { $0.contains("its hold cannot be read") })
        #expect(try await verify().contains { $0.object.hasSuffix("a/hold.json") })
    }

    /// A hold on what retention keeps anyway changes nothing, and does not count.
    @Test func aHeldBackupWithinRetentionKeepsAllItsWAL() async throws {
        try await repository.instance.setHold(hold(), on: "b")
        #expect(try await repository.expire(keep: 1).removed == ["a"])
        let catalog = try await InstanceCatalog.read(repository.instance)
        #expect(catalog.backups.map(\.isIsolated) == [nil])
        #expect(repository.segments() == Array(8...12))
    }

    @Test func whatIsNotThereOrBeingRemovedIsNotHeld() async throws {
        await #expect(throws: FleetError.self) { try await repository.instance.setHold(hold(), on: "c") }
        await #expect(throws: FleetError.self) { try await repository.instance.releaseHold(on: "a") }
        let keys = repository.instance.keys
        try await repository.storage.put(keys.tombstone("a"), [1], condition: .any)
        await #expect(throws: FleetError.self) { try await repository.instance.setHold(hold(), on: "a") }
        #expect(try await repository.storage.head(keys.hold("a")) == nil)
    }
}
