@testable import FleetCommands
@testable import FleetCoordinator
import FleetPluginAPI
import TerminalUI
import Testing

@Suite("Recovery windows, drawn")
struct WindowTests {
    func report() throws -> WindowReport {
        let first = try Samples.backup("20251216T020000Z-F", stop: "2025-12-16T02:00:00Z")
        let second = try Samples.backup("20251217T020000Z-F", stop: "2025-12-17T02:00:00Z")
        let third = try Samples.backup("20251218T020000Z-F", stop: "2025-12-18T02:00:00Z", timeline: 2)
        func window(
            _ timeline: UInt32, _ start: String, _ end: String, _ ending: RecoveryWindow.Ending
        ) throws -> RecoveryWindow {
            RecoveryWindow(
                timeline: timeline, startLSN: LSN(1), endLSN: LSN(2), start: try Samples.time(start),
                end: try Samples.time(end), backups: [], ending: ending)
        }
        let orders = InstanceWindows(
            instance: "orders",
            windows: [
                try window(
                    1, "2025-12-16T02:00:00Z", "2025-12-16T20:00:00Z", .gap(missing: "00000001000000000000002A")),
                try window(1, "2025-12-17T02:00:00Z", "2025-12-17T22:00:00Z", .abandoned),
                try window(2, "2025-12-17T21:00:00Z", "2025-12-18T11:59:30Z", .newest),
            ], backups: [first, second, third], problems: [], error: nil)
        let empty = InstanceWindows(instance: "new", windows: [], backups: [], problems: [], error: nil)
        return WindowReport([orders, empty], now: try Samples.time("2025-12-18T12:00:00Z"))
    }

    @Test("gaps, backups, timelines and the present are seen")
    func drawn() throws {
        #expect(
            shown(try report()) == """
                orders  3 full, 1 gap
                  timeline 1  F━━━━━━━━━━━━━━━━━━━┫      F━━━━━━━━━━━━━━━━━━━━━┫
                  timeline 2                                                  ┣━━━━━F━━━━━━━━━━┫
                              ─────────────────────────┬──────────────────────────┬────────────┤
                                                     12-17                      12-18        now
                  TL  FROM (UTC)           TO (UTC)                SPAN  ENDS
                   1  2025-12-16 02:00:00  2025-12-16 20:00:00      18h  at a gap
                   1  2025-12-17 02:00:00  2025-12-17 22:00:00      20h  left by a restore
                   2  2025-12-17 21:00:00  2025-12-18 11:59:30  14h 59m  30s ago
                  after 2025-12-16 20:00:00: WAL segment 00000001000000000000002A is missing

                new  cannot be restored: it has no backup with its WAL
                """)
    }

    @Test("the JSON of windows is read back as it was")
    func json() throws {
        let report = try report()
        let back = try decoded(WindowReport.self, report)
        #expect(back.instances == report.instances)
        #expect(back.instances[0].windows.map(\.ending) == ["gap", "abandoned", "newest"])
        #expect(back.instances[0].windows[0].missing == "00000001000000000000002A")
    }

    @Test("a window that begins within a second is offered from the next whole one")
    func whole() throws {
        #expect(try Samples.time("2025-12-18T02:04:10.5Z").nextWholeSecond == Samples.time("2025-12-18T02:04:11Z"))
        #expect(try Samples.time("2025-12-18T02:04:10Z").nextWholeSecond == Samples.time("2025-12-18T02:04:10Z"))
    }
}
