import FleetPluginAPI
import Testing

@testable import NativeEngine

@Suite struct ManifestTests {
    static func sample() -> Manifest {
        let hash = ContentHash(of: [1, 2, 3])
        var manifest = Manifest(
            header: .init(
                instance: "orders", label: "l", systemIdentifier: Segments.system, serverVersion: 150_020,
                segmentSize: 16 << 20, tablespaces: [.init(oid: 16385, path: "/srv/fast")]))
        manifest.packs = [PackEntry(id: "l/00000000", size: 1000, sha256: hash)]
        manifest.directories = [.init(path: "base", mode: 0o700, modified: 5)]
        manifest.links = [.init(path: "pg_tblspc/16385", target: "/srv/fast", tablespace: 16385)]
        manifest.chunks = (0..<3).map {
            ChunkReference(pack: 0, offset: UInt32(100 * $0), storedLength: 100, rawLength: 3, hash: hash)
        }
        manifest.files = [
            .init(path: "base/1", size: 6, mode: 0o600, modified: 7, crc32c: 0xFFFF_FFFF, chunks: 0..<2),
            .init(path: "empty", size: 0, mode: 0o600, modified: 7, crc32c: 0xFFFF_FFFF, chunks: 2..<2),
            .init(path: "base/2", size: 3, mode: 0o600, modified: 7, crc32c: 0xFFFF_FFFF, chunks: 2..<3),
        ]
        manifest.serverManifest = Array("{}".utf8)
        manifest.backupLabel = Array("START WAL LOCATION: 0/2000028\n".utf8)
        return manifest
    }

    @Test func isReadAsItWasWritten() throws {
        let manifest = Self.sample()
        let read = try Manifest(decoding: manifest.encoded(), "it")
        #expect(read.header == manifest.header)
        #expect(read.packs == manifest.packs)
        #expect(read.directories == manifest.directories)
        #expect(read.links == manifest.links)
        #expect(read.chunks == manifest.chunks)
        #expect(read.files == manifest.files)
        #expect(read.serverManifest == manifest.serverManifest)
        #expect(read.backupLabel == manifest.backupLabel)
        #expect(read.tablespaceMap == nil)
    }

    @Test func oneThatIsCutShortIsRefused() throws {
        let content = try Zstd.decompressFrames(Self.sample().encoded(), limit: 1 << 20, "it")
        for count in 0..<content.count {
            let cut = try Zstd.compress(Array(content.prefix(count)), level: 1)
            #expect(throws: FleetError.self, "\(count) bytes") { try Manifest(decoding: cut, "it") }
        }
    }

    /// Whatever bytes come, it is read or refused, never worse.
    @Test func anyBytesAreReadOrRefused() throws {
        let content = try Zstd.decompressFrames(Self.sample().encoded(), limit: 1 << 20, "it")
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var damaged = content
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Manifest(decoding: Zstd.compress(damaged, level: 1), "it")
        }
    }

    @Test(arguments: ["../outside", "/etc/passwd", "a//b", "base/../../x", "", "."])
    func pathsThatLeadOutAreRefused(_ path: String) throws {
        var manifest = Self.sample()
        manifest.files[0].path = path
        #expect(throws: FleetError.self) { try Manifest(decoding: manifest.encoded(), "it") }
    }

    @Test func aNewerFormatIsNotGuessedAt() throws {
        var manifest = Self.sample()
        manifest.header.format = 2
        let error = #expect(throws: FleetError.self) { try Manifest(decoding: manifest.encoded(), "it") }
        #expect(error?.code == .unsupported)
    }

    @Test func filesAreAsLongAsTheirChunks() throws {
        var manifest = Self.sample()
        manifest.files[0].size = 7
        #expect(throws: FleetError.self) { try Manifest(decoding: manifest.encoded(), "it") }
    }
}
