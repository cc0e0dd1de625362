import FleetPluginAPI
import PostgresFormats
import Testing

@Suite("the small files of a data directory")
struct SmallFileTests {
    private let label = """
        START WAL LOCATION: 2/3F000028 (file 00000003000000020000003F)
        CHECKPOINT LOCATION: 2/3F000060
        BACKUP METHOD: streamed
        BACKUP FROM: standby
        START TIME: 2025-12-18 10:30:00 CET
        LABEL: a: b
        START TIMELINE: 3

        """

    @Test("a backup label is read and its bytes are kept")
    func backupLabel() throws {
        let label = try BackupLabel(Array(label.utf8))
        #expect(label.bytes == Array(self.label.utf8))
        #expect(label.startLSN == LSN(0x2_3F00_0028) && label.checkpointLSN == LSN(0x2_3F00_0060))
        #expect(label.startSegment == "00000003000000020000003F" && label.timeline == 3)
        #expect(label.method == "streamed" && label.source == "standby" && label.label == "a: b")
        #expect(label.startTime == nil && label.stop == nil && label.incrementalFrom == nil)
    }

    @Test("a history file's stop, and what an incremental backup is based on, are read")
    func backupHistory() throws {
        let text =
            label + """
                STOP WAL LOCATION: 2/40000138 (file 000000030000000200000040)
                STOP TIME: 2025-12-18 10:31:00 UTC
                STOP TIMELINE: 3
                INCREMENTAL FROM LSN: 2/1000028
                INCREMENTAL FROM TLI: 2

                """
        let label = try BackupLabel(Array(text.utf8))
        #expect(label.stop == .init(lsn: LSN(0x2_4000_0138), timeline: 3))
        #expect(label.incrementalFrom == .init(lsn: LSN(0x2_0100_0028), timeline: 2))
    }

    @Test("labels without what PostgreSQL needs are refused")
    func damagedLabels() {
        let wrong = [
            ("START WAL LOCATION", "START"), ("2/3F000028", "3F000028"), ("CHECKPOINT LOCATION: 2/3F000060\n", ""),
            ("START TIMELINE: 3", "START TIMELINE: 4"), ("(file ", "("), ("0000003F)", "0000003)"),
            ("BACKUP METHOD: ", "BACKUP METHOD"),
        ]
        for (old, new) in wrong {
            #expect(throws: FleetError.Code.corrupted, "\(old) → \(new)") {
                try code { try BackupLabel(Array(label.replacing(old, with: new).utf8)) }
            }
        }
    }

    @Test("a tablespace map comes back as it was, line breaks and backslashes in paths included")
    func tablespaceMap() throws {
        let map = TablespaceMap(tablespaces: [
            .init(oid: 16384, path: "/mnt/one two"), .init(oid: 16385, path: "/odd\npath\\with\reverything"),
            .init(oid: 4_294_967_295, path: "/é"),
        ])
        #expect(try TablespaceMap(map.bytes) == map)
        #expect(TablespaceMap(tablespaces: [.init(oid: 7, path: "a\n\\")]).bytes == Array("7 a\\\n\\\\\n".utf8))
        #expect(try TablespaceMap(Array("16384 /a\r\n\n16385 /b\n".utf8)).tablespaces.map(\.path) == ["/a", "/b"])
        for text in ["16384 /a", "x /a\n", "0 /a\n", "16384\n", "16384 \n", "16384 /a\\"] {
            #expect(throws: FleetError.Code.corrupted, "\(text)") { try code { try TablespaceMap(Array(text.utf8)) } }
        }
    }

    @Test("a timeline history is read over comments, blank lines and old servers' layouts")
    func timelineHistory() throws {
        let text = """
            # made by hand

            1\t0/3000000\tno recovery target specified

            2\t0/50001A8\tbefore 2025-12-18 10:30:00+00
              5 1/0

            """
        let history = try TimelineHistory(file: Array(text.utf8), timeline: 7)
        #expect(history.timeline == 7 && history.ancestors.map(\.timeline) == [1, 2, 5])
        #expect(history.ancestors.map(\.switchLSN) == [LSN(0x300_0000), LSN(0x500_01A8), LSN(1 << 32)])
        #expect(
            history.ancestors.map(\.reason) == ["no recovery target specified", "before 2025-12-18 10:30:00+00", ""])
        #expect(try TimelineHistory(file: history.fileBytes, timeline: 7) == history)
        #expect(try TimelineHistory(file: [], timeline: 1) == TimelineHistory(timeline: 1))
    }

    @Test("histories out of order, of themselves or of nothing are refused")
    func damagedHistories() {
        for text in [
            "1\n", "x\t0/1\t\n", "0\t0/1\t\n", "2\t0/9\t\n1\t0/10\t\n", "7\t0/9\t\n",
            "1\t9\t\n",
        ] {
            #expect(throws: FleetError.Code.corrupted, "\(text)") {
                try code { try TimelineHistory(file: Array(text.utf8), timeline: 7) }
            }
        }
    }

    @Test("a timeline may be left before it was begun")
    func emptyTimeline() throws {
        let history = try TimelineHistory(file: Array("1\t0/9000\tx\n2\t0/8000\ty\n".utf8), timeline: 3)
        #expect(history.timeline(at: LSN(0x7FFF)) == 1)
        #expect(history.timeline(at: LSN(0x8000)) == 3)
        #expect(history.timeline(at: LSN(0x9000)) == 3)
        // A backup of timeline 1 that ends behind 0/8000 does not lead here, though the file says that 1 goes on to 9000.
        #expect(history.path.map(\.timeline) == [1, 3])
        #expect(history.exit(from: 1) == .some(LSN(0x8000)))
        #expect(history.exit(from: 2) == nil)
    }

    @Test("a pid file is read at every stage of being written")
    func postmasterPID() throws {
        let text = "4711\n/data\n1766053800\n5433\n/run/postgresql\nlocalhost\n  5433001   1234\nready   \n"
        let file = try #require(PostmasterPID(Array(text.utf8)))
        #expect(file.pid == 4711 && !file.isSingleUser && file.dataDirectory == "/data" && file.port == 5433)
        #expect(file.startTime?.description == "2025-12-18T10:30:00Z" && file.status == .ready)
        #expect(file.socketDirectory == "/run/postgresql" && file.listenAddress == "localhost")
        let partial = try #require(PostmasterPID(Array("4711\n/data\n1766053800\n5433\n\n".utf8)))
        #expect(partial.port == 5433 && partial.socketDirectory == nil && partial.status == nil)
        #expect(PostmasterPID(Array("-12\n/data\n".utf8))?.isSingleUser == true)
        for text in ["", "\n", "abc\n", "0\n", "99999999999\n", "-2147483648\n"] {
            #expect(PostmasterPID(Array(text.utf8)) == nil)
        }
        var random = SplitMix(seed: 61)
        for _ in 0..<500 { _ = PostmasterPID(random.mutated(Array(text.utf8))) }
    }

    @Test("versions are read, older and stranger ones are not")
    func versions() {
        for (text, version) in [
            ("15\n", 15), ("18", 18), ("9.6\n", nil), ("", nil), ("abc", nil), ("1\n", nil), ("150\n", nil),
        ] as [(String, Int?)] {
            #expect(PostgresVersionFile.major(Array(text.utf8)) == version)
        }
    }

    @Test("times are read as PostgreSQL writes them")
    func times() throws {
        let expected = try #require(Timestamp(rfc3339: "2025-12-18T10:30:00.120000Z"))
        for text in [
            "2025-12-18 10:30:00.12+00", "2025-12-18 16:00:00.12+05:30", "2025-12-18 07:30:00.12-03",
            "2025-12-18 10:30:00.12 UTC", "2025-12-18 10:30:00.12 GMT", "2025-12-18 10:49:32.12+00:19:32",
            "2025-12-18 10:10:28.12-00:19:32",
        ] {
            #expect(Timestamp(postgresText: text) == expected, "\(text)")
        }
        for text in [
            "infinity", "2025-12-18 10:30:00", "2025-12-18 10:30:00 CET", "0044-03-15 10:00:00+00 BC", "", "a:b:c:d:01",
            " UTC",
        ] {
            #expect(Timestamp(postgresText: text) == nil, "\(text)")
        }
        #expect(expected.postgresText == "2025-12-18 10:30:00.120000+00")
        #expect(Timestamp(postgresText: expected.postgresText) == expected)
    }

    @Test("mutated files neither crash nor change when written again")
    func mutations() {
        var random = SplitMix(seed: 62)
        let map = Array("16384 /a\\\nb\n16385 /c\\\\\n".utf8)
        let history = Array("1\t0/3000000\tno reason\n2\t0/50001A8\tbefore\n".utf8)
        for _ in 0..<1000 {
            _ = try? BackupLabel(random.mutated(Array(label.utf8)))
            if let read = try? TablespaceMap(random.mutated(map)) { #expect((try? TablespaceMap(read.bytes)) == read) }
            if let read = try? TimelineHistory(file: random.mutated(history), timeline: 9) {
                #expect((try? TimelineHistory(file: read.fileBytes, timeline: 9))?.path == read.path)
            }
            _ = Timestamp(
                postgresText: String(
                    decoding: random.mutated(Array("2025-12-18 10:30:00.12+05:30".utf8)), as: UTF8.self))
        }
    }
}
