import FleetPluginAPI
import Testing

@testable import PostgresClient

@Suite("Messages of the replication protocol")
struct MessageTests {
    private func backup(_ bytes: [UInt8]) throws -> BaseBackupEvent {
        try unsafe bytes.withUnsafeBytes { try unsafe BaseBackupMessage.decode($0) }
    }

    private func wal(_ bytes: [UInt8]) throws -> WALMessage {
        try unsafe bytes.withUnsafeBytes { try unsafe WALMessage.decode($0) }
    }

    @Test("base backup messages")
    func backupMessages() throws {
        #expect(try backup(Array("nbase.tar\0\0".utf8)) == .archive(name: "base.tar", tablespacePath: nil))
        #expect(
            try backup(Array("n16384.tar\0/srv/a b\0".utf8)) == .archive(name: "16384.tar", tablespacePath: "/srv/a b"))
        #expect(try backup(Array("dab\0c".utf8)) == .data(Array("ab\0c".utf8)))
        #expect(try backup([UInt8(ascii: "d")]) == .data([]))
        #expect(try backup([UInt8(ascii: "m")]) == .manifest)
        #expect(try backup([UInt8(ascii: "p"), 0, 0, 0, 1, 0, 0, 0, 2]) == .progress(0x1_0000_0002))
        for wrong in ["", "n", "nbase.tar", "nbase.tar\0", "n\0\0", "na\0b\0c\0", "mx", "p1234567", "x", "\0"] {
            #expect(throws: FleetError.self) { try backup(Array(wrong.utf8)) }
        }
    }

    @Test("WAL messages")
    func walMessages() throws {
        let header: [UInt8] =
            [UInt8(ascii: "w"), 0, 0, 0, 1, 2, 0, 0, 0] + [0, 0, 0, 1, 3, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 5]
        let data = WALMessage.data(
            start: LSN(0x1_0200_0000), serverEnd: LSN(0x1_0300_0000), sentAt: Timestamp(postgres: 5), bytes: [7, 8])
        #expect(try wal(header + [7, 8]) == data)
        let keepalive: [UInt8] = [UInt8(ascii: "k"), 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 6, 1]
        #expect(
            try wal(keepalive)
                == .keepalive(serverEnd: LSN(9), sentAt: Timestamp(postgres: 6), replyRequested: true))
        for wrong in [[], Array(header.dropLast()), Array(keepalive.dropLast()), keepalive + [0], [0x78]] {
            #expect(throws: FleetError.self) { try wal(wrong) }
        }
        let status = WALMessage.status(
            write: LSN(0x0102_0304_0506_0708), flush: LSN(2), apply: LSN(3), at: Timestamp(postgres: -1),
            replyRequested: false)
        #expect(
            status.count == 34 && status[0] == UInt8(ascii: "r") && Array(status[1...8]) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(status[16] == 2 && status[24] == 3 && Array(status[25...33]) == Array(repeating: 255, count: 8) + [0])
    }

    @Test("random bytes are decoded or refused, never trusted")
    func fuzz() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in UInt8.random(in: 0...255) }
            if let type = "ndmpwk".utf8.randomElement(), !bytes.isEmpty, Bool.random() { bytes[0] = type }
            if case .data(let data)? = try? backup(bytes) { #expect(data == Array(bytes.dropFirst())) }
            if case .data(_, _, _, let data)? = try? wal(bytes) { #expect(data == Array(bytes.dropFirst(25))) }
        }
    }

    @Test("BASE_BACKUP in both grammars")
    func commands() {
        let options = BaseBackupOptions(label: "it's")
        #expect(
            options.command(serverVersion: 150_020)
                == "BASE_BACKUP (LABEL 'it''s', PROGRESS true, CHECKPOINT 'fast', WAL false, WAIT false, "
                + "TABLESPACE_MAP true, VERIFY_CHECKSUMS true, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')")
        #expect(
            options.command(serverVersion: 140_001)
                == "BASE_BACKUP LABEL 'it''s' PROGRESS FAST NOWAIT TABLESPACE_MAP MANIFEST 'yes' "
                + "MANIFEST_CHECKSUMS 'SHA256'")
        var other = BaseBackupOptions(label: "x", fastCheckpoint: false, waitsForArchive: true, maxRateKiB: 64)
        (other.verifyChecksums, other.manifestChecksums) = (false, nil)
        #expect(
            other.command(serverVersion: 130_004)
                == "BASE_BACKUP LABEL 'x' PROGRESS MAX_RATE 64 TABLESPACE_MAP NOVERIFY_CHECKSUMS")
        #expect(other.command(serverVersion: 180_000).contains("MAX_RATE 64, MANIFEST 'no'"))
    }

    @Test("the SQLSTATE in a failed connection's text")
    func connectionErrors() {
        let text = """
            connection to server at "127.0.0.1", port 5433 failed: FATAL:  28P01: password authentication failed for \
            user "a:  12345: b"
            LOCATION:  auth_failed, auth.c:335
            """
        let error = PostgresError(connecting: text)
        #expect(error.sqlState == "28P01" && error.code == .denied)
        #expect(error.message == "password authentication failed for user \"a:  12345: b\"")
        let plain = PostgresError(connecting: "connection refused\n\tIs the server running?\n")
        #expect(plain.sqlState == nil && plain.code == .unavailable)
        #expect(plain.message == "connection refused Is the server running?")
    }
}
