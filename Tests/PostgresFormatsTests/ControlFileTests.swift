import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import PostgresFormats
import Testing

@Suite("pg_control")
struct ControlFileTests {
    private func read(_ server: PostgresServer) throws -> [UInt8] {
        try fileBytes("\(server.dataDirectory)/global/pg_control")
    }

    @Test("every field is what pg_controldata says, running, stopped and crashed")
    func agreesWithControlData() async throws {
        try await withPostgres(.init(settings: ["wal_level": "logical", "max_locks_per_transaction": "71"])) { server in
            try await server.query("create table t (i int); checkpoint")
            try await compare(server, state: .inProduction, text: "in production")
            try await server.stop()
            try await compare(server, state: .shutDown, text: "shut down")
            try await server.start()
            try await server.crash()
            try await compare(server, state: .inProduction, text: "in production")
        }
        try await withPostgres(.init(checksums: false, segmentMegabytes: 4, ownSystemIdentifier: true, starts: false)) {
            server in
            try await compare(server, state: .shutDown, text: "shut down")
        }
    }

    private func compare(_ server: PostgresServer, state: ControlFile.State, text: String) async throws {
        let file = try ControlFile(try read(server))
        #expect(file.state == state && file.majorVersion == server.installation.major)
        let parameters = file.parameters
        let fields: [(String, String)] = [
            ("Database cluster state", text),
            ("pg_control version number", "\(file.controlVersion)"),
            ("Catalog version number", "\(file.catalogVersion)"),
            ("Database system identifier", "\(file.systemIdentifier)"),
            ("Latest checkpoint location", "\(file.checkpoint.location)"),
            ("Latest checkpoint's REDO location", "\(file.checkpoint.redo)"),
            ("Latest checkpoint's TimeLineID", "\(file.checkpoint.timeline)"),
            ("Latest checkpoint's PrevTimeLineID", "\(file.checkpoint.previousTimeline)"),
            ("Latest checkpoint's full_page_writes", file.checkpoint.fullPageWrites ? "on" : "off"),
            (
                "Latest checkpoint's NextXID",
                "\(file.checkpoint.nextTransaction >> 32):\(UInt32(truncatingIfNeeded: file.checkpoint.nextTransaction))"
            ),
            ("Minimum recovery ending location", "\(file.minimumRecoveryPoint)"),
            ("Min recovery ending loc's timeline", "\(file.minimumRecoveryTimeline)"),
            ("Backup start location", "\(file.backupStart)"),
            ("Backup end location", "\(file.backupEnd)"),
            ("End-of-backup record required", file.isBackupEndRequired ? "yes" : "no"),
            ("wal_level setting", "\(file.walLevel)"),
            ("wal_log_hints setting", file.walLogHints ? "on" : "off"),
            ("max_connections setting", "\(parameters.maxConnections)"),
            ("max_worker_processes setting", "\(parameters.maxWorkerProcesses)"),
            ("max_wal_senders setting", "\(parameters.maxWALSenders)"),
            ("max_prepared_xacts setting", "\(parameters.maxPreparedTransactions)"),
            ("max_locks_per_xact setting", "\(parameters.maxLocksPerTransaction)"),
            ("Database block size", "\(file.blockSize)"),
            ("WAL block size", "\(file.walBlockSize)"),
            ("Bytes per WAL segment", "\(file.walSegmentSize)"),
            ("Data page checksum version", "\(file.dataChecksumVersion)"),
        ]
        for (name, value) in fields { #expect(try await server.controlData(name) == value, "\(name)") }
        #expect(abs((file.checkpoint.time - .now).microseconds) < 3_600_000_000)
    }

    @Test("the layouts of other versions are read, and no damage passes the checksum")
    func layouts() async throws {
        let bytes = try await withPostgres(.init(starts: false)) { try read($0) }
        let file = try ControlFile(bytes)
        for (control, catalog, major, shift) in [
            (1300, 202_007_201, 13, 0), (1700, 202_406_281, 17, 0), (1800, 202_506_291, 18, 4),
        ] {
            var other = Array(bytes[..<288])
            other.replaceSubrange(8..<16, with: UInt32(control).littleEndianBytes + UInt32(catalog).littleEndianBytes)
            // 18 has a byte more before the nonce, and three of padding.
            other.insert(contentsOf: Array(repeating: 1, count: shift), at: 256)
            let whole = other + CRC32C.checksum(other).littleEndianBytes + Array(repeating: 0, count: 7900)
            let read = try ControlFile(whole)
            #expect(read.majorVersion == major && read.parameters == file.parameters)
            #expect(read.walSegmentSize == file.walSegmentSize && read.checkpoint == file.checkpoint)
        }
        for index in 0..<292 {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(throws: FleetError.self) { try ControlFile(damaged) }
        }
        var random = SplitMix(seed: 21)
        for _ in 0..<500 {
            let mutated = random.mutated(bytes)
            if let read = try? ControlFile(mutated) { #expect(read == file) }
            // Any content under a right checksum.
            var hostile = Array(bytes[..<16]) + random.bytes(272)
            hostile += CRC32C.checksum(hostile).littleEndianBytes
            _ = try? ControlFile(hostile)
        }
        for length in [0, 8, 11, 12, 100, 291] {
            #expect(throws: FleetError.Code.corrupted) { try code { try ControlFile(Array(bytes[..<length])) } }
        }
    }

    @Test("other versions and byte orders are told apart from damage")
    func unsupported() {
        for version in [UInt32(1201), 1900, UInt32(1300).byteSwapped] {
            let bytes = [1, 2, 3, 4, 5, 6, 7, 8] + version.littleEndianBytes + Array(repeating: 0, count: 400)
            #expect(throws: FleetError.Code.unsupported) { try code { try ControlFile(bytes) } }
        }
    }
}

extension Timestamp {
    static var now: Timestamp {
        Timestamp(microseconds: Int64(Date.now.timeIntervalSince1970 * 1_000_000))
    }
}
