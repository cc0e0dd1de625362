import FleetPluginAPI
import PostgresFormats
import Testing

@testable import NativeEngine

@Suite struct FormatTests {
    private struct Document: Hashable, Codable {
        var name: String
        var numbers: [Int]
    }

    @Test func everyFlippedBitOfASealedDocumentIsNoticed() throws {
        let document = Document(name: "orders/é", numbers: [1, 2, 1 << 60])
        let bytes = try SealedJSON.encode(document)
        #expect(try SealedJSON.decode(Document.self, bytes, "it") == document)
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                // A digit of the digest may be written in either case.
                if let read = try? SealedJSON.decode(Document.self, damaged, "it") { #expect(read == document) }
            }
        }
        for count in 0..<bytes.count {
            #expect(throws: FleetError.self) {
                try SealedJSON.decode(Document.self, Array(bytes.prefix(count)), "it")
            }
        }
    }

    @Test func aPackGivesBackItsChunksAndNoticesEveryDamage() throws {
        var builder = PackBuilder(id: "20260101T000000Z-full-00000000/00000000")
        let contents = [[1, 2, 3], [UInt8](repeating: 7, count: 5000), Array(0...255)] as [[UInt8]]
        for content in contents {
            _ = builder.append(
                try Zstd.compress(content, level: 1), rawLength: content.count, hash: ContentHash(of: content))
        }
        let (bytes, entry) = builder.seal()
        let pack = try PackContents(bytes, id: entry.id)
        #expect(pack.entry == entry)
        #expect(pack.chunks.map(\.hash) == contents.map { ContentHash(of: $0) })
        for (chunk, content) in zip(pack.chunks, contents) {
            let frame = Array(bytes[Int(chunk.range.lowerBound)..<Int(chunk.range.upperBound)])
            let read = try frame.withUnsafeBytes { try ChunkReader.content(of: $0, chunk, entry.id) }
            #expect(read == content)
        }
        #expect(try Zstd.decompressFrames(bytes, limit: 1 << 20, "pack") == contents.flatMap { $0 })
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x10
            // The four reserved bytes of the footer are hashed as well.
            #expect(throws: FleetError.self, "byte \(position)") { try PackContents(damaged, id: entry.id) }
        }
        for count in 0..<bytes.count {
            #expect(throws: FleetError.self) { try PackContents(Array(bytes.prefix(count)), id: entry.id) }
        }
        #expect(throws: FleetError.self) { try PackContents(bytes, id: "another/00000000") }
    }

    @Test func anArchivedFileIsReadFromItsFrontAndChecked() throws {
        let content = Segments.bytes(Segments.name(5), filler: 3)
        let header = WALObjectHeader(
            name: Segments.name(5).description, kind: .segment, systemIdentifier: Segments.system,
            size: Int64(content.count), sha256: ContentHash(of: content), segmentSize: Segments.size,
            archivedAt: Timestamp(microseconds: 5_000_000), summary: nil)
        let object = try WALObject.encode(header, content, level: 1)
        let read = try WALObject.header(Array(object.prefix(Int(WALObject.probeSize))), "it")
        #expect(read.name == header.name && read.sha256 == header.sha256 && read.archivedAt == header.archivedAt)
        #expect(try WALObject.content(object, read, "it") == content)
        #expect(try Zstd.decompressFrames(object, limit: 2 << 20, "it") == content)
        for position in object.indices {
            var damaged = object
            damaged[position] ^= 1 << UInt8(position % 8)
            #expect(throws: FleetError.self, "byte \(position)") {
                try WALObject.content(damaged, WALObject.header(damaged, "it"), "it")
            }
        }
    }

    @Test func namesOfArchivedFiles() {
        #expect(WALFileName("00000001000000000000000A")?.kind == .segment)
        #expect(WALFileName("00000001000000000000000A.partial")?.kind == .partial)
        #expect(WALFileName("0000000B.history")?.timeline == 11)
        #expect(WALFileName("00000001000000000000000A.00000028.backup")?.kind == .backupHistory)
        for name in [
            "", "RECOVERYXLOG", "00000001000000000000000a", "00000000000000000000000A", "0000000B.history.zst",
            "00000001000000000000000A.backup", "../0000000B.history", "00000001000000000000000A.0000002G.backup",
        ] {
            #expect(WALFileName(name) == nil, "\(name)")
        }
    }

    @Test func keysFindTheirWayBack() throws {
        let keys = try InstanceKeys("orders")
        for text in ["00000001000000000000000A", "0000000B.history", "00000001000000000000000A.partial"] {
            let file = try #require(WALFileName(text))
            #expect(keys.walFile(keys.wal(file, Segments.system), Segments.system) == file)
        }
        #expect(keys.packID(keys.pack("a/00000000")) == "a/00000000")
        for name in ["", ".", "..", "a/b", "a\u{0}", "é"] {
            #expect(throws: FleetError.self) { try InstanceKeys(name) }
        }
    }

    @Test func labelsSortByTimeAndAreFoundByKey() {
        let early = BackupName.make(key: "k", kind: .full, at: Timestamp(microseconds: 1_766_053_800_000_001))
        let late = BackupName.make(key: "a", kind: .full, at: Timestamp(microseconds: 1_766_053_801_000_000))
        #expect(early.hasPrefix("20251218T103000Z-full-"))
        #expect(early < late)
        #expect(BackupName.matches(early, key: "k") && !BackupName.matches(early, key: "a"))
    }

    @Test func walBetweenStartAndStop() {
        func range(_ start: UInt64, _ stop: UInt64) -> [UInt64] {
            WALRange(timeline: 1, start: LSN(start), stop: LSN(stop), segmentSize: 1 << 20).segments.map(\.number)
        }
        #expect(range(0x100028, 0x100138) == [1])
        // A stop on a boundary needs nothing of the segment that begins there.
        #expect(range(0x100028, 0x200000) == [1])
        #expect(range(0x100028, 0x200001) == [1, 2])
        #expect(range(0x100000, 0x100000) == [1])
    }

    @Test func wordsForTheShell() {
        #expect(ShellWord.quoted("/usr/bin/fleet") == "/usr/bin/fleet")
        #expect(ShellWord.quoted("it's") == "'it'\\''s'")
        #expect(ShellWord.quoted("") == "''")
        #expect(ShellWord.quoted("a b;$(x)") == "'a b;$(x)'")
    }

    @Test func archiveCommandsAreQuotedForShellAndServer() throws {
        let commands = try NativeEngine(resolve: TestPassphrase.resolve).archiving(Agent(MemoryStorage()).context)
        #expect(
            commands.archive
                == "'/opt/fleet'\\''s bin/fleet' --config '/etc/fleet 100%%.yaml' agent wal-push --instance orders %p")
        #expect(commands.restore.hasSuffix("agent wal-get --instance orders %f %p"))
    }

    @Test func sizesAsPostgreSQLShowsThem() {
        #expect(ServerFacts.bytes("16MB") == 16 << 20)
        #expect(ServerFacts.bytes("1GB") == 1 << 30)
        #expect(ServerFacts.bytes("16 MB") == nil)
    }
}
