import FleetCoordinator
import FleetPluginAPI
import Testing

@Suite struct TargetResolverTests {
    typealias Archive = SyntheticArchive
    let archive = SyntheticArchive.ordinary

    @Test func timeStopsBeforeTheFirstLaterCommitFromTheNewestBackupBeforeIt() async throws {
        let resolved = try await archive.resolve("2025-12-18T10:07:30Z")
        #expect(resolved.backup.label == "second")
        #expect(resolved.stopLSN == Archive.lsn(10))
        #expect(resolved.lastKept?.time == Archive.time("10:07:00"))
        #expect(resolved.lost.count == 2)
        #expect(resolved.lost.first == Archive.time("10:08:00"))
        #expect(resolved.lost.last == Archive.time("10:09:00"))
        #expect(!resolved.needsHeartbeat)
    }

    @Test func aCommitAtTheVeryTargetIsKept() async throws {
        let resolved = try await archive.resolve("2025-12-18T10:07:00Z")
        #expect(resolved.lastKept?.time == Archive.time("10:07:00"))
        #expect(resolved.lost.first == Archive.time("10:08:00"))
    }

    @Test func aTargetBetweenStartAndStopOfABackupTakesTheOneBefore() async throws {
        var archive = archive
        // A commit while the second backup runs: recovery from it would stop there, before it is consistent.
        archive.commit(7, 0x2800, at: "10:05:20", xid: 800)
        let resolved = try await archive.resolve("2025-12-18T10:05:10Z")
        #expect(resolved.backup.label == "first")
        #expect(resolved.stopLSN == Archive.lsn(7, 0x2800))
    }

    @Test func beforeEveryBackupIsRefusedWithTheEarliestTarget() async throws {
        let error = await #expect(throws: FleetError.self) { try await archive.resolve("2025-12-18T09:00:00Z") }
        #expect(error?.code == .refused)
        #expect(error?.hint?.contains("2025-12-18T10:00:30Z") == true)
    }

    @Test func afterTheLastCommitIsRefusedWithoutAServerThatCouldCommit() async throws {
        let error = await #expect(throws: FleetError.self) { try await archive.resolve("2025-12-18T11:00:00Z") }
        #expect(error?.code == .refused)
        #expect(error?.message.contains("2025-12-18T10:09:00Z") == true)
        #expect(error?.hint?.contains("latest") == true)
    }

    @Test func afterTheLastCommitNeedsAHeartbeatWhereAPrimaryRuns() async throws {
        let resolved = try await archive.resolve("2025-12-18T11:00:00Z", primaryClock: "11:30:00")
        #expect(resolved.needsHeartbeat)
        #expect(resolved.lost.count == 0)
    }

    @Test func theFutureIsRefused() async throws {
        let error = await #expect(throws: FleetError.self) {
            try await archive.resolve("2025-12-18T12:00:00Z", primaryClock: "11:30:00")
        }
        #expect(error?.message.contains("future") == true)
    }

    @Test func aGapIsRefusedWithTheTargetsAroundIt() async throws {
        var archive = archive
        archive.segments[1]?.remove(9)
        let error = await #expect(throws: FleetError.self) { try await archive.resolve("2025-12-18T10:08:30Z") }
        #expect(error?.message.contains("000000010000000000000009") == true)
        #expect(error?.hint?.contains("2025-12-18T10:06:00Z") == true)
        // Before the gap everything works as ever.
        #expect(try await archive.resolve("2025-12-18T10:05:45Z").backup.label == "second")
    }

    @Test func aBackupBehindAGapServesWhatLiesBehindIt() async throws {
        var archive = archive
        archive.segments[1]?.remove(5)
        #expect(try await archive.resolve("2025-12-18T10:08:30Z").backup.label == "second")
        let error = await #expect(throws: FleetError.self) { try await archive.resolve("2025-12-18T10:04:30Z") }
        #expect(error?.message.contains("000000010000000000000005") == true)
    }

    @Test func anLSNKeepsWhatEndsThere() async throws {
        let resolved = try await archive.resolve("lsn:\(Archive.lsn(9, 0x1040))")
        #expect(resolved.stop == .lsn(Archive.lsn(9, 0x1040), inclusive: false))
        #expect(resolved.lastKept?.xid == 707)
        #expect(resolved.lost.count == 2)
    }

    @Test func aTransactionIsFoundAndKept() async throws {
        let resolved = try await archive.resolve("xid:706")
        #expect(resolved.stop == .xid(706))
        #expect(resolved.lastKept?.xid == 706)
        let error = await #expect(throws: FleetError.self) { try await archive.resolve("xid:999") }
        #expect(error?.code == .refused)
    }

    @Test func theNewestRestorePointOfANameIsMeant() async throws {
        var archive = archive
        archive.points = [(1, Archive.lsn(8, 0x4000), "release"), (1, Archive.lsn(10, 0x4000), "release")]
        let resolved = try await archive.resolve("name:release")
        #expect(resolved.stopLSN == Archive.lsn(10, 0x4040))
        #expect(resolved.stop == .lsn(Archive.lsn(10, 0x4040), inclusive: false))
        #expect(!resolved.remarks.isEmpty)
        archive.points.removeLast()
        #expect(try await archive.resolve("name:release").stop == .name("release"))
        await #expect(throws: FleetError.self) { try await archive.resolve("name:other") }
    }

    @Test func latestReachesTheEndAndImmediateTheBackup() async throws {
        let latest = try await archive.resolve("latest")
        #expect(latest.stop == .endOfWAL)
        #expect(latest.lost.count == 0)
        #expect(latest.lastKept?.xid == 709)
        let immediate = try await archive.resolve("immediate", backup: "first")
        #expect(immediate.stop == .immediate)
        #expect(immediate.lost.count == 9)
    }

    @Test func aBackupOfAnotherSystemIsNeverChosen() async throws {
        var archive = archive
        archive.backups[1].systemIdentifier = SystemIdentifier(rawValue: 1)
        #expect(try await archive.resolve("2025-12-18T10:07:30Z").backup.label == "first")
        await #expect(throws: FleetError.self) { try await archive.resolve("latest", backup: "second") }
    }
}

@Suite struct TargetResolverTimelineTests {
    typealias Archive = SyntheticArchive

    /// Restored at 10:20 to 10:04:30, which began timeline 2; restored again at 10:40 to 10:02:30: timeline 3.
    static var restoredTwice: SyntheticArchive {
        var archive = SyntheticArchive.ordinary
        archive.archive(6...9, timeline: 2)
        archive.archive(4...8, timeline: 3)
        archive.histories += [
            TimelineHistory(
                timeline: 2, ancestors: [.init(timeline: 1, switchLSN: Archive.lsn(6, 0x1040), reason: "time")]),
            TimelineHistory(
                timeline: 3, ancestors: [.init(timeline: 1, switchLSN: Archive.lsn(4, 0x1040), reason: "time")]),
        ]
        archive.commit(6, 0x3000, at: "10:21:00", xid: 900, timeline: 2)
        archive.commit(7, 0x3000, at: "10:22:00", xid: 901, timeline: 2)
        archive.commit(9, 0x3000, at: "10:23:00", xid: 902, timeline: 2)
        archive.commit(5, 0x3000, at: "10:41:00", xid: 950, timeline: 3)
        archive.commit(8, 0x3000, at: "10:42:00", xid: 951, timeline: 3)
        return archive
    }

    let archive = restoredTwice

    @Test func theAncestorServesTimesBeforeTheFork() async throws {
        let resolved = try await archive.resolve("2025-12-18T10:01:30Z", current: 3)
        // Not 3: promoted from there, the new timeline's history would leave 3 before it began.
        #expect(resolved.timeline == 1)
        #expect(resolved.backup.label == "first")
        #expect(resolved.stopLSN == Archive.lsn(4))
        #expect(resolved.remarks.isEmpty)
        // What is lost is what the present has: one commit of timeline 1 before the fork, two of timeline 3.
        #expect(resolved.lost.count == 3)
    }

    @Test func aBackupOfAnAbandonedFutureIsNotUsed() async throws {
        // The second backup lies on timeline 1 behind both forks.
        let resolved = try await archive.resolve("2025-12-18T10:41:30Z", current: 3)
        #expect(resolved.backup.label == "first")
        #expect(resolved.lastKept?.xid == 950)
    }

    @Test func anAbandonedFutureIsMentionedAndCanBeAskedFor() async throws {
        let resolved = try await archive.resolve("2025-12-18T10:07:30Z", current: 3)
        #expect(resolved.lastKept?.time == Archive.time("10:02:00"))
        #expect(resolved.remarks.contains { $0.contains("--timeline 1") })
        let old = try await archive.resolve("2025-12-18T10:07:30Z", timeline: 1, current: 3)
        #expect(old.backup.label == "second")
        #expect(old.timeline == 1)
        #expect(old.lastKept?.time == Archive.time("10:07:00"))
        #expect(old.lost.count == 2)
    }

    @Test func aTimelineWithoutHistoryIsRefused() async throws {
        var archive = archive
        archive.histories.removeLast()
        let error = await #expect(throws: FleetError.self) { try await archive.resolve("latest", current: 3) }
        #expect(error?.message.contains("history") == true)
    }

    @Test func windowsKnowForksAndAbandonedEnds() {
        let catalog = archive.catalog
        let windows = RecoveryWindow.all(in: ArchiveMap(catalog), backups: catalog.backups)
        #expect(windows.map(\.timeline) == [1, 2, 3])
        #expect(windows[0].ending == .abandoned)
        #expect(windows[1].startLSN == Archive.lsn(6, 0x1040))
        #expect(windows[2].startLSN == Archive.lsn(4, 0x1040))
        #expect(windows[2].end == Archive.time("10:42:00"))
        #expect(windows[2].ending == .newest)
    }
}

@Suite struct RecoveryWindowTests {
    typealias Archive = SyntheticArchive

    @Test func gapsCutWindows() {
        var archive = SyntheticArchive.ordinary
        archive.segments[1]?.remove(5)
        let catalog = archive.catalog
        let windows = RecoveryWindow.all(in: ArchiveMap(catalog), backups: catalog.backups)
        #expect(windows.count == 2)
        #expect(windows[0].ending == .gap(missing: "000000010000000000000005"))
        #expect(windows[0].end == Archive.time("10:02:00"))
        #expect(windows[1].start == Archive.time("10:05:30"))
        #expect(windows[1].backups == ["second"])
    }

    /// What retention removed after a held backup is no gap.
    @Test func aHeldBackupsWindowIsItsOwnEnd() {
        var archive = SyntheticArchive.ordinary
        archive.segments[1]?.subtract(3...6)
        archive.backups[0].isIsolated = true
        let catalog = archive.catalog
        let windows = RecoveryWindow.all(in: ArchiveMap(catalog), backups: catalog.backups)
        #expect(windows.map(\.ending) == [.trimmed, .newest])
        #expect(windows[0].backups == ["first"] && windows[0].start == windows[0].end)
    }

    @Test func aBackupWithoutItsWALGivesNoWindow() {
        var archive = SyntheticArchive.ordinary
        archive.segments[1] = Set(8...12)
        let catalog = archive.catalog
        #expect(RecoveryWindow.all(in: ArchiveMap(catalog), backups: catalog.backups).isEmpty)
    }

    /// Whatever segments are missing: a time inside a window resolves, one outside every window does not.
    @Test func windowsAndResolverAgree() async throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            var archive = SyntheticArchive.ordinary
            for number in 1...12 where UInt64.random(in: 0..<4, using: &generator) == 0 {
                archive.segments[1]?.remove(UInt64(number))
            }
            let catalog = archive.catalog
            let windows = RecoveryWindow.all(in: ArchiveMap(catalog), backups: catalog.backups)
            for second in stride(from: 15, to: 600, by: 30) {
                let time = Archive.time("10:00:00") + .seconds(second)
                let inside = windows.contains { $0.start <= time && time < $0.end }
                let resolved = try? await archive.resolve(time.description)
                if inside {
                    #expect(resolved != nil, "\(time) with \(archive.segments[1]?.sorted() ?? [])")
                } else if windows.allSatisfy({ time < $0.start || $0.end < time }) {
                    #expect(resolved == nil, "\(time) with \(archive.segments[1]?.sorted() ?? [])")
                }
            }
        }
    }
}
