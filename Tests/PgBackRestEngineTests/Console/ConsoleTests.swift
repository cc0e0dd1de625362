import FleetPluginAPI
import Testing

@testable import PgBackRestEngine

@Suite struct ConsoleTests {
    @Test(arguments: [
        (
            "2026-11-26 02:16:02.442 P00   INFO: new backup label = 20261126-021555F",
            "new backup label = 20261126-021555F"
        ),
        ("P00   INFO: new backup label = 20261126-021555F", "new backup label = 20261126-021555F"),
        ("2026-11-26 02:16:02.442 P01 DETAIL: backup file /d/1 (0B, 100.00%)", "backup file /d/1 (0B, 100.00%)"),
        ("ERROR: [050]: unable to acquire lock", "[050]: unable to acquire lock"),
    ])
    func messagesAreFoundBehindTimesAndLevels(_ line: String, _ text: String) {
        #expect(ConsoleLine(line)?.text == text)
    }

    @Test(arguments: [
        "", "stanza: main", "  status: ok", "       HINT: is another pgBackRest process running?", "P00", "ERROR", ":",
        "2026-11-26 02:16:02.442", "archiveId: 15-1, total WAL checked: 6",
    ])
    func whatIsNoMessageIsNone(_ line: String) {
        #expect(ConsoleLine(line) == nil)
    }

    @Test func copiedFilesTellHowFarItIs() {
        // 2.45, with checksum and bundle, and as older versions print it.
        let backup = CopiedFile("backup file /d/base/1/1255 (656KB, 12.34%) checksum 1f2e")
        #expect(backup?.phase == "copy" && backup?.size == 656 << 10 && backup?.percent == 12.34)
        let bundled = CopiedFile("backup file db:/d/base/1/2 (bundle 1/8192, 8KB, 99.9%) checksum 00")
        #expect(bundled?.size == 8192 && bundled?.percent == 99.9)
        let restored = CopiedFile("restore file /d/base (x)/1255 (22.1MB, 7%) checksum 1f2e")
        #expect(restored?.phase == "restore" && restored?.size == 23_173_529 && restored?.percent == 7)
        for other in [
            "backup file /d/1", "backup file (", "backup (8KB, 3%)", "restore size = 22.1MB, file total = 964",
            "backup file /d/1 (8XB, 3%)", "backup file /d/1 (8KB, 300%)", "backup file /d/1 (-8KB, 3%)", "%)", "",
        ] { #expect(CopiedFile(other) == nil, "\(other)") }
    }

    @Test func noLineBreaksTheReader() {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "P00", "INFO", ":", " ", "backup file", "(", ")", "%", ",", "8KB", "9999999999999999TB", "é", "\u{0}", "-",
        ]
        for _ in 0..<5000 {
            let line = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            if let file = CopiedFile(line) { #expect(file.size >= 0 && (0...100).contains(file.percent)) }
            _ = ConsoleLine(line)
        }
    }

    @Test func exitStatusesAreToldApart() {
        func code(_ status: Int32, _ said: String = "ERROR: [0]: x") -> FleetError.Code {
            PgBackRestFailure.error(status, "it", said: said).code
        }
        #expect(code(50) == .conflict)
        #expect(code(62) == .refused)
        #expect(code(38) == .refused && code(40) == .refused)
        #expect(code(103) == .unavailable && code(49) == .unavailable)
        #expect(code(53, "ERROR: [053]: unable to list file info: [13] Permission denied") == .denied)
        #expect(code(55) == .notFound && code(75) == .notFound && code(127) == .notFound)
        #expect(code(29) == .corrupted && code(42) == .corrupted)
        #expect(code(45) == .alreadyExists)
        #expect(code(82) == .timedOut)
        #expect(code(199) == .failed)
    }

    @Test func errorsQuoteWhatPgBackRestSaidWithItsHints() {
        let said = """
            WARN: option 'repo1-retention-full' is not set
            ERROR: [050]: unable to acquire lock on file '/tmp/main-backup.lock': Resource temporarily unavailable
                   HINT: is another pgBackRest process running?
            """
        let error = PgBackRestFailure.error(50, "the backup of orders", said: said)
        #expect(
            error.cause
                == "[050]: unable to acquire lock on file '/tmp/main-backup.lock': Resource temporarily unavailable; "
                + "HINT: is another pgBackRest process running?")
        #expect(error.isRetriable)
    }
}
