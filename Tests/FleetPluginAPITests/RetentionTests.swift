import FleetPluginAPI
import FoundationEssentials
import Testing

@Suite struct RetentionTests {
    private static let now = Timestamp(microseconds: 100 * 86_400_000_000)

    /// A full backup on each of the days, and a differential one an hour after it.
    private func backups(_ days: Int...) -> [BackupRecord] {
        days.flatMap { day in
            [
                backup("full-\(day)", .full, Timestamp(microseconds: Int64(day) * 86_400_000_000)),
                backup("diff-\(day)", .diff, Timestamp(microseconds: Int64(day) * 86_400_000_000 + 3_600_000_000)),
            ]
        }
    }

    private func backup(_ label: String, _ kind: BackupRecord.Kind, _ time: Timestamp) -> BackupRecord {
        BackupRecord(
            label: label, kind: kind, engine: "x", repository: "r", systemIdentifier: SystemIdentifier(rawValue: 1),
            serverVersion: 150_000, timeline: 1, startLSN: LSN(1), stopLSN: LSN(2), startTime: time, stopTime: time,
            size: 1,
            storedSize: 1)
    }

    private func oldest(_ retention: Retention, _ days: [BackupRecord]) -> String? {
        retention.oldestFull(of: days, at: Self.now)?.label
    }

    @Test func theNewestAreCounted() {
        let all = backups(60, 70, 80, 90, 99)
        #expect(oldest(Retention(full: 2), all) == "full-90")
        #expect(oldest(Retention(full: 9), all) == "full-60")
    }

    /// The moment at which the window begins is restored from a backup that had ended by then.
    @Test func aWindowBeginsWithABackup() {
        let all = backups(60, 70, 80, 90, 99)
        #expect(oldest(Retention(window: .seconds(86_400 * 20)), all) == "full-80")
        #expect(oldest(Retention(window: .seconds(86_400 * 20 + 1)), all) == "full-70")
        #expect(oldest(Retention(window: .seconds(86_400)), all) == "full-99")
        #expect(oldest(Retention(window: .seconds(86_400 * 365)), all) == "full-60")
        #expect(oldest(Retention(window: .seconds(1)), all) == "full-99")
    }

    @Test func whateverKeepsMoreCounts() {
        let all = backups(60, 70, 80, 90, 99)
        #expect(oldest(Retention(full: 1, window: .seconds(86_400 * 25)), all) == "full-70")
        #expect(oldest(Retention(full: 4, window: .seconds(86_400 * 25)), all) == "full-70")
        #expect(oldest(Retention(full: 5, window: .seconds(86_400 * 25)), all) == "full-60")
    }

    @Test func whatIsUndecidedKeepsAll() {
        #expect(!Retention(diff: 3).isDecided && oldest(Retention(diff: 3), backups(60, 70)) == "full-60")
        #expect(oldest(Retention(full: 1), []) == nil)
    }

    @Test func theWindowIsWrittenAsText() throws {
        let retention = Retention(full: 4, window: .seconds(86_400))
        let data = try JSONEncoder().encode(retention)
        #expect(String(decoding: data, as: UTF8.self).contains(#""window":"86400s""#))
        #expect(try JSONDecoder().decode(Retention.self, from: data) == retention)
    }
}
