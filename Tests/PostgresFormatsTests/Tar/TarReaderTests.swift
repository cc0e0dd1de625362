import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import PostgresFormats
import Testing

/// Remembers what an archive held.
struct TarRecorder: TarVisitor {
    struct Member: Hashable {
        var entry: TarEntry
        var bytes: [UInt8] = []
        var isWhole = false
    }

    var members: [Member] = []

    mutating func begin(_ entry: TarEntry) {
        members.append(Member(entry: entry))
    }

    mutating func data(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { members[members.count - 1].bytes += $0 }
    }

    mutating func end() {
        members[members.count - 1].isWhole = true
    }

    static func read(_ archive: [UInt8], pieces size: Int = .max) throws -> [Member] {
        var recorder = TarRecorder()
        var reader = TarReader()
        var rest = archive[...]
        while !rest.isEmpty {
            try reader.feed(Array(rest.prefix(size)), &recorder)
            rest = rest.dropFirst(size)
        }
        try reader.finish()
        return recorder.members
    }
}

@Suite("tar archives")
struct TarReaderTests {
    private static func header(
        _ name: String, type: Character = "0", size: Int = 0, link: String = "", prefix: String = "",
        magic: String = "ustar\u{0}00", sizeField: [UInt8]? = nil
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in text.enumerated() { block[offset + index] = byte }
        }
        put(name.utf8.prefix(100), at: 0)
        put("0000600\u{0}0000000\u{0}0000000\u{0}".utf8, at: 100)
        let octal = String(size, radix: 8)
        put(sizeField ?? Array((String(repeating: "0", count: 11 - octal.count) + octal + "\u{0}").utf8), at: 124)
        put("14720605130\u{0}".utf8, at: 136)
        put(String(type).utf8, at: 156)
        put(link.utf8, at: 157)
        put(magic.utf8, at: 257)
        put(prefix.utf8, at: 345)
        put("        ".utf8, at: 148)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put((String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ").utf8, at: 148)
        return block
    }

    /// A pax record; its length counts its own two digits.
    private static func record(_ text: String) -> String {
        "\(text.utf8.count + 4) \(text)\n"
    }

    private static func padded(_ data: [UInt8]) -> [UInt8] {
        data + Array(repeating: 0, count: (512 - data.count % 512) % 512)
    }

    private static let end = [UInt8](repeating: 0, count: 1024)

    private static var sample: [UInt8] {
        let pax = record("path=pax/long/name") + record("mtime=1766053800.123456789")
        var archive =
            header("global/", type: "5") + header("global/pg_control", size: 700)
            + padded(Array(repeating: 7, count: 700))
        archive += header("pg_tblspc/16384", type: "2", link: "/mnt/space")
        archive += header("name", size: 3, prefix: "a/long/prefix") + padded([1, 2, 3])
        archive +=
            header("././@LongLink", type: "L", size: 151)
            + padded(Array((String(repeating: "n", count: 150) + "\u{0}").utf8))
        archive += header("nnnn", size: 0, magic: "ustar  \u{0}")
        archive += header("x", type: "x", size: pax.utf8.count) + padded(Array(pax.utf8))
        archive += header("short", size: 512) + padded(Array(repeating: 9, count: 512))
        return archive + end
    }

    @Test("entries are read whole, whatever pieces they come in", arguments: [1, 3, 511, 512, 513, 4096, .max])
    func pieces(size: Int) throws {
        let members = try TarRecorder.read(Self.sample, pieces: size)
        #expect(
            members.map(\.entry.path) == [
                "global", "global/pg_control", "pg_tblspc/16384", "a/long/prefix/name",
                String(repeating: "n", count: 150),
                "pax/long/name",
            ])
        #expect(members.map(\.bytes.count) == [0, 700, 0, 3, 0, 512])
        #expect(members.map(\.entry.size) == [0, 700, 0, 3, 0, 512])
        #expect(members.allSatisfy(\.isWhole) && members.allSatisfy { $0.entry.pathHazard == nil })
        #expect(members[0].entry.kind == .directory && members[1].entry.mode == 0o600)
        #expect(members[2].entry.kind == .symbolicLink(target: "/mnt/space"))
        #expect(members[3].bytes == [1, 2, 3])
        #expect(members[5].entry.modified == Timestamp(microseconds: 1_766_053_800_000_000))
    }

    @Test("sizes beyond 8 GiB are read from base-256 and pax")
    func largeSizes() throws {
        let size: UInt64 = 20 << 30
        let field: [UInt8] = [0x80, 0, 0, 0] + size.bigEndian.littleEndianBytes
        let pax = Self.record("size=21474836480")
        for archive in [
            Self.header("big", sizeField: field),
            Self.header("x", type: "x", size: pax.utf8.count) + Self.padded(Array(pax.utf8)) + Self.header("big"),
        ] {
            var recorder = TarRecorder()
            var reader = TarReader()
            try reader.feed(archive, &recorder)
            #expect(recorder.members.map(\.entry.size) == [size])
            #expect(throws: FleetError.Code.corrupted) { try code { try reader.finish() } }
        }
    }

    @Test("paths that lead out of the directory are flagged")
    func hazards() throws {
        let paths: [(String, TarEntry.PathHazard?)] = [
            ("/etc/passwd", .absolute), ("../x", .parent), ("a/../../x", .parent), ("a/..", .parent), ("", .empty),
            ("a/..b/c..", nil), ("./a", nil), ("a//b", nil), ("./../x", .parent),
            (".//x", .absolute),
        ]
        for (path, hazard) in paths {
            let entry = try #require(try TarRecorder.read(Self.header(path) + Self.end).first).entry
            #expect(entry.pathHazard == hazard, "\(path)")
        }
        let pax = Self.record("path=/etc/motd") + Self.record("path=a\u{0}b")
        let archive =
            Self.header("x", type: "x", size: pax.utf8.count) + Self.padded(Array(pax.utf8)) + Self.header("fine")
        #expect(try TarRecorder.read(archive + Self.end).first?.entry.pathHazard == .unprintable)
        // A prefix of nothing but slashes makes an absolute path of a harmless name.
        let slashed = try TarRecorder.read(Self.header("etc", prefix: "/") + Self.end)
        #expect(slashed.first?.entry.pathHazard == .absolute)
    }

    @Test("archives that end early, or go on after their end, are refused; the missing end mark of old servers is not")
    func ends() throws {
        let entry = Self.header("f", size: 700) + Self.padded(Array(repeating: 1, count: 700))
        #expect(try TarRecorder.read(entry).count == 1)
        #expect(try TarRecorder.read([]).isEmpty)
        #expect(try TarRecorder.read(entry + Self.end + Self.end).count == 1)
        for length in [1, 511, 512, 600, 1400, 1500] {
            #expect(throws: FleetError.Code.corrupted) {
                try code { try TarRecorder.read(Array(entry.prefix(length))) }
            }
        }
        for archive in [
            entry + Self.end + entry, entry + Array(Self.end.prefix(512)) + entry, Self.header("x", type: "x", size: 0),
        ] {
            #expect(throws: FleetError.Code.corrupted) { try code { try TarRecorder.read(archive) } }
        }
    }

    @Test("mutated archives neither crash nor yield more than they hold")
    func mutations() {
        var random = SplitMix(seed: 51)
        for _ in 0..<600 {
            let archive = random.mutated(Self.sample)
            var recorder = TarRecorder()
            var reader = TarReader()
            _ = try? reader.feed(archive, &recorder)
            #expect(recorder.members.reduce(0) { $0 + $1.bytes.count } <= archive.count)
            #expect(recorder.members.allSatisfy { $0.entry.size >= $0.bytes.count })
        }
        // Checksums made right again, so that the damage reaches what lies behind them.
        for _ in 0..<600 {
            var block = random.mutated(
                Self.header("x", type: ["x", "L", "0", "2"].randomElement(using: &random) ?? "0", size: 60))
            guard block.count >= 512 else { continue }
            block = Array(block.prefix(512))
            for index in 148..<156 { block[index] = 0x20 }
            let sum = Array(String(block.reduce(0) { $0 + Int($1) }, radix: 8).utf8)
            block.replaceSubrange(148..<148 + sum.count, with: sum)
            block[148 + sum.count] = 0
            _ = try? TarRecorder.read(block + random.bytes(512) + Self.end)
        }
    }

    @Test("what GNU tar writes is read, in each of its formats", arguments: ["ustar", "gnu", "pax", "v7"])
    func gnuTar(format: String) async throws {
        try await withScratch { scratch in
            let long = String(repeating: "d", count: format == "v7" ? 20 : 60)
            try scratch.directory("t/\(long)/\(long)")
            let text = String(repeating: "text ", count: 1000)
            try scratch.write(text, to: "t/\(long)/\(long)/file")
            try FileManager.default.createSymbolicLink(atPath: scratch.path("t/link"), withDestinationPath: "/to/there")
            try await runTool(["tar", "-C", scratch.path, "--format=\(format)", "-cf", scratch.path("t.tar"), "t"])
                .checked()
            let archive = try fileBytes(scratch.path("t.tar"))
            let members = try TarRecorder.read(archive, pieces: 999)
            let file = try #require(members.first { $0.entry.path == "t/\(long)/\(long)/file" })
            #expect(file.bytes == Array(text.utf8) && file.entry.kind == .file)
            #expect(
                members.contains { $0.entry.path == "t/link" && $0.entry.kind == .symbolicLink(target: "/to/there") })
            #expect(members.contains { $0.entry.path == "t/\(long)" && $0.entry.kind == .directory })
        }
    }
}
