import FleetPluginAPI
import Testing

@testable import NativeEngine

/// Differential and incremental backups: what goes with what.
@Suite struct ExpireKindsTests {
    /// `F1 d1 i1 d2 i2 F2 d3`
    private func repository() async throws -> SyntheticRepository {
        let repository = try await SyntheticRepository()
        try await repository.archive(1...20)
        try await repository.publish("F1", 1, 2)
        try await repository.publish("d1", kind: .diff, references: ["F1"], 3, 4)
        try await repository.publish("i1", kind: .incr, references: ["F1", "d1"], 5, 6)
        try await repository.publish("d2", kind: .diff, references: ["F1"], 7, 8)
        try await repository.publish("i2", kind: .incr, references: ["F1", "d2"], 9, 10)
        try await repository.publish("F2", 11, 12)
        try await repository.publish("d3", kind: .diff, references: ["F2"], 13, 14)
        return repository
    }

    @Test func withoutACountAllOfThemStay() async throws {
        let report = try await repository().expire(keep: 2)
        #expect(report.removed.isEmpty && report.kept == ["F1", "F2", "d1", "d2", "d3", "i1", "i2"])
    }

    @Test func theOldestGoWithWhatBuildsUponThem() async throws {
        let repository = try await repository()
        let plan = try await repository.expire(keep: 2, keepDiff: 2, dryRun: true)
        let report = try await repository.expire(keep: 2, keepDiff: 2)
        #expect(plan.removed == report.removed && report.removed == ["d1", "i1"] && report.removedPacks == 2)
        #expect(try await repository.expire(keep: 2, keepDiff: 1).removed == ["d2", "i2"])
        #expect(try await repository.expire(keep: 2, keepDiff: 0).removed == ["d3"])
        #expect(repository.backups == ["F1", "F2"])
    }

    @Test func aFullGoesWithAllThatBuildsUponIt() async throws {
        let repository = try await repository()
        let report = try await repository.expire(keep: 1)
        #expect(report.removed == ["F1", "d1", "i1", "d2", "i2"] && report.kept == ["F2", "d3"])
        #expect(report.removedPacks == 5)
    }

    /// What was begun before the newer full and ended after it.
    @Test func whatAKeptOneNeedsStays() async throws {
        let repository = try await repository()
        try await repository.publish("i3", kind: .incr, references: ["F1", "d2"], 15, 16)
        let report = try await repository.expire(keep: 1)
        #expect(report.removed == ["d1", "i1", "i2"] && report.kept == ["F1", "F2", "d2", "d3", "i3"])
    }

    @Test func damagedOnesDoNotCount() async throws {
        let repository = try await repository()
        repository.storage[repository.instance.keys.pack("d3/00000000")] = nil
        let report = try await repository.expire(keep: 2, keepDiff: 1)
        #expect(report.removed == ["d1", "i1"] && report.kept.contains("d2") && report.kept.contains("d3"))
    }

    @Test func whatARunningBackupBuildsUponStays() async throws {
        let repository = try await repository()
        try await repository.claim("running", parents: ["F1", "d1"])
        let report = try await repository.expire(keep: 1)
        #expect(report.kept == ["F1", "F2", "d1", "d3"] && report.removed == ["i1", "d2", "i2"])
    }
}
