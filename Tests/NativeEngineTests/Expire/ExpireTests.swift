import FleetPluginAPI
import Testing

@testable import NativeEngine

@Suite struct ExpireTests {
    private static let twoDays = Duration.seconds(2 * 86_400)

    @Test func theNewestAndAllWALFromTheirStartOnStay() async throws {
        let repository = try await SyntheticRepository()
        try await repository.archive(1...9)
        for (label, start) in [("a", 2), ("b", 4), ("c", 6)] as [(String, UInt64)] {
            try await repository.publish(label, start, start + 1)
        }
        let before = repository.storage.keys
        let plan = try await repository.expire(keep: 2, dryRun: true)
        #expect(repository.storage.keys == before)
        let report = try await repository.expire(keep: 2)
        #expect(report.removed == ["a"] && report.kept == ["b", "c"] && report.removedPacks == 1)
        #expect(plan.removed == report.removed && plan.removedWAL == report.removedWAL && plan.freed == report.freed)
        #expect(repository.segments() == [4, 5, 6, 7, 8, 9])
        #expect(!repository.storage.keys.contains { $0.contains("/a/") })
        #expect(report.freed > 0)
    }

    @Test func aDamagedBackupIsNotCountedAndTheLastGoodOneStays() async throws {
        let repository = try await SyntheticRepository()
        try await repository.archive(1...9)
        for (label, start) in [("a", 2), ("b", 4), ("c", 6)] as [(String, UInt64)] {
            try await repository.publish(label, start, start + 1)
        }
        repository.storage[repository.instance.keys.pack("c/00000000")] = [1]
        #expect(try await repository.expire(keep: 1).removed == ["a"])
        repository.storage[repository.instance.keys.pack("b/00000000")] = nil
        let report = try await repository.expire(keep: 1)
        #expect(report.removed.isEmpty && !report.remarks.isEmpty)
        #expect(repository.backups == ["b", "c"])
    }

    @Test func packsStayWhileAManifestCannotBeRead() async throws {
        let repository = try await SyntheticRepository()
        for (label, start) in [("a", 2), ("b", 4), ("c", 6)] as [(String, UInt64)] {
            try await repository.publish(label, start, start + 1)
        }
        repository.storage[repository.instance.keys.manifest("b")] = [1, 2, 3]
        let report = try await repository.expire(keep: 1)
        #expect(report.removed == ["a", "b"] && report.removedPacks == 2, "what goes itself needs no manifest")
        try await repository.publish("d", 8, 9)
        repository.storage[repository.instance.keys.document("c")] = [1, 2, 3]
        repository.storage.age("instances/", by: Self.twoDays)
        #expect(try await repository.expire(keep: 1).removedPacks == 0)
    }

    @Test func theAncestorOfAKeptTimelineGoesOnlyWhenItIsOldAndNobodyBacksUp() async throws {
        let repository = try await SyntheticRepository()
        try await repository.archive(1...8)
        try await repository.archive(5...9, timeline: 2)
        try await repository.archiveHistory(2, "1\t0/580000\tno recovery target specified\n")
        try await repository.publish("a", 3, 4)
        try await repository.publish("b", timeline: 2, 6, 7)

        _ = try await repository.expire(keep: 2)
        #expect(repository.segments(1) == [3, 4, 5, 6, 7, 8] && repository.segments(2) == [5, 6, 7, 8, 9])

        _ = try await repository.expire(keep: 1)
        #expect(repository.segments(1) == [3, 4, 5, 6, 7, 8], "a backup under way may need it")
        #expect(repository.segments(2) == [6, 7, 8, 9])

        repository.storage.age("instances/orders/wal/", by: Self.twoDays)
        try await repository.claim("running")
        _ = try await repository.expire(keep: 1)
        #expect(repository.segments(1) == [3, 4, 5, 6, 7, 8])

        try await repository.storage.delete(repository.instance.keys.claim("running"))
        _ = try await repository.expire(keep: 1)
        #expect(repository.segments(1).isEmpty && repository.segments(2) == [6, 7, 8, 9])
        #expect(repository.storage.keys.contains { $0.hasSuffix("00000002.history.zst") })
    }

    /// A fork between a backup's start and its end leads nowhere from this backup, one after its end does.
    @Test func aForkBeforeTheEndOfTheBackupIsNotItsDescendant() async throws {
        let repository = try await SyntheticRepository()
        try await repository.archive(1...8)
        try await repository.archive(4...6, timeline: 2)
        try await repository.archiveHistory(2, "1\t0/480000\tbefore\n")
        try await repository.archive(7...8, timeline: 3)
        try await repository.archiveHistory(3, "1\t0/780000\tafter\n")
        try await repository.publish("a", 3, 5)
        repository.storage.age("instances/orders/wal/", by: Self.twoDays)
        _ = try await repository.expire(keep: 1)
        #expect(repository.segments(1) == [3, 4, 5, 6, 7, 8])
        #expect(repository.segments(2).isEmpty && repository.segments(3) == [7, 8])
    }

    @Test func aTimelineWithoutItsHistoryIsLeftAlone() async throws {
        let repository = try await SyntheticRepository()
        try await repository.archive(1...3, timeline: 5)
        try await repository.publish("a", 3, 4)
        repository.storage.age("instances/orders/wal/", by: Self.twoDays)
        _ = try await repository.expire(keep: 1)
        #expect(repository.segments(5) == [1, 2, 3])
    }

    @Test func whatARunningBackupBuildsUponStays() async throws {
        let repository = try await SyntheticRepository()
        try await repository.publish("a", 2, 3)
        try await repository.publish("b", 4, 5)
        try await repository.claim("c", parents: ["a"])
        let report = try await repository.expire(keep: 1)
        #expect(report.removed.isEmpty && report.kept == ["a", "b"])
        #expect(!repository.storage.keys.contains { $0.hasSuffix("expiring.json") })
        repository.storage.age(repository.instance.keys.claim("c"), by: Self.twoDays)
        #expect(try await repository.expire(keep: 1).removed == ["a"])
    }

    @Test func aCrashAtAnyWriteLeavesNothingListedThatIsNotWhole() async throws {
        var writes = 0
        while true {
            let repository = try await SyntheticRepository()
            try await repository.archive(1...5)
            try await repository.publish("a", 2, 3)
            try await repository.publish("b", 4, 5)
            repository.storage.breakAfter(writes: writes)
            let result = await Result { try await repository.expire(keep: 1) }
            repository.storage.breakAfter(writes: nil)
            let task = VerifyTask(
                instance: repository.instance, request: .init(key: "v", backups: [], repository: "local"),
                meter: ProgressMeter("verify", total: nil, emit: { _ in }))
            let damaged = try await task.verify().findings.filter { !$0.object.contains("/wal/") }
            #expect(damaged.isEmpty, "after \(writes) writes")
            _ = try await repository.expire(keep: 1)
            #expect(repository.backups == ["b"] && repository.segments() == [4, 5])
            #expect(!repository.storage.keys.contains { $0.contains("/a/") }, "after \(writes) writes")
            if case .success = result { break }
            writes += 1
        }
        #expect(writes >= 6)
    }
}
