import FleetPluginAPI
import Testing

@testable import PgBackRestEngine

@Suite struct ArchiveListingTests {
    private static let sum = "396bea5f1fd7c4a7d9e8f26929f9418c4aa4156f"

    private func listing(_ names: [String]) throws -> ArchiveListing {
        let entries = names.map { #""\#($0)":{"type":"file","size":7,"time":1795659363}"# }
        return try ArchiveListing(Array("{\".\":{\"type\":\"path\"},\(entries.joined(separator: ","))}".utf8))
    }

    @Test func onlyWholeSegmentsAndHistoriesCount() throws {
        let folder = "0000000100000000"
        let segment = "000000010000000000000004"
        let listing = try listing([
            "\(folder)/\(segment)-\(Self.sum).gz", "00000002.history",
            "\(folder)/\(segment).00000028.backup", "\(folder)/000000010000000000000005.partial-\(Self.sum).gz",
            "\(folder)/000000010000000000000006-\(Self.sum).gz.pgbackrest.tmp", "archive.info", "archive.info.copy",
            "\(folder)/000000010000000000000007-396b.gz",
        ])
        #expect(listing.segments.keys.sorted() == [segment])
        #expect(listing.histories.keys.sorted() == [2])
        let file = try #require(listing.segments[segment])
        #expect(file.sha1 == Self.sum && file.compression == .gzip && file.size == 7)
        #expect(file.time == Timestamp(seconds: 1_795_659_363) && file.path == "\(folder)/\(segment)-\(Self.sum).gz")
        #expect(listing.duplicates.isEmpty)
    }

    @Test func twoContentsOfOneSegmentAreNoticed() throws {
        let other = String(Self.sum.reversed())
        let listing = try listing([
            "0000000100000000/000000010000000000000004-\(Self.sum).gz",
            "0000000100000000/000000010000000000000004-\(other).zst",
        ])
        #expect(listing.duplicates == ["000000010000000000000004"])
    }

    @Test(arguments: ["", "[]", "null", "{\"a\"", "{\"a\":1"]) func whatIsNoListingIsAnError(_ text: String) {
        #expect(throws: FleetError.self) { try ArchiveListing(Array(text.utf8)) }
    }

    @Test func noNameBreaksTheReader() {
        var generator = SystemRandomNumberGenerator()
        let whole = Array("000000010000000000000004-\(Self.sum).gz".utf8)
        for _ in 0..<5000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let name = String(decoding: bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)), as: UTF8.self)
            if let found = SegmentFileName(name) { #expect(found.sha1.count == 40 && found.segment.count == 24) }
        }
    }

    @Test func damagedContentIsNotWhatItsNameSays() {
        let file = ArchiveListing.File(
            path: "x", size: 3, time: Timestamp(seconds: 0), sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
            compression: .none)
        #expect((try? ArchivedContent.decode(Array("abc".utf8), file)) == Array("abc".utf8))
        #expect(throws: FleetError.self) { try ArchivedContent.decode(Array("abd".utf8), file) }
        for compression in [ArchiveCompression.gzip, .zstd] {
            var compressed = file
            compressed.compression = compression
            #expect(throws: FleetError.self) { try ArchivedContent.decode(Array("abc".utf8), compressed) }
        }
    }

    @Test func tablespacesAreReadFromAManifest() {
        let manifest = """
            [backup]
            backup-label="20261126-021555F"

            [backup:target]
            pg_data={"path":"/srv/data","type":"path"}
            pg_tblspc/16392={"path":"/srv/fast","tablespace-id":"16392","tablespace-name":"fast","type":"link"}
            pg_tblspc/x={"path":"/srv/none"}
            pg_tblspc/16393=not json

            [target:file]
            pg_tblspc/16394={"path":"/no","type":"link"}
            """
        #expect(ManifestTargets.tablespaces(Array(manifest.utf8)) == [.init(oid: 16392, path: "/srv/fast")])
    }
}
