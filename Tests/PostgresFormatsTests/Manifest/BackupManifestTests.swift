import Crypto
import FleetPluginAPI
import PostgresFormats
import Testing

@Suite("backup manifests")
struct BackupManifestTests {
    /// The text with a right checksum behind it.
    private func sealed(_ text: String) -> [UInt8] {
        let hash = SHA256.hash(data: Array(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
        return Array("\(text)\"Manifest-Checksum\": \"\(hash)\"}\n".utf8)
    }

    private let sample = """
        { "PostgreSQL-Backup-Manifest-Version": 2,
        "System-Identifier": 18446744073709551615,
        "Files": [
        { "Path": "backup_label", "Size": 224, "Last-Modified": "2025-12-18 10:30:00 GMT", \
        "Checksum-Algorithm": "CRC32C", "Checksum": "7bfd8b8a" },
        { "Encoded-Path": "62617365ff", "Size": 0, "Last-Modified": "2025-12-18 10:30:01 GMT" },
        { "Path": "a \\"quoted\\" \\u00e9\\ud83d\\ude00\\n", "Size": 1, "Last-Modified": "2025-12-18 10:30:02 GMT", \
        "Future": [{"x": [1, -2.5e3, null]}] }
        ],
        "WAL-Ranges": [
        { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "1/2000100" }
        ],

        """

    @Test("every field is read, also what versions to come may add")
    func fields() throws {
        let manifest = try BackupManifest(sealed(sample))
        #expect(manifest.version == 2 && manifest.systemIdentifier?.rawValue == .max)
        #expect(manifest.walRanges == [.init(timeline: 1, start: LSN(0x200_0028), end: LSN(0x1_0200_0100))])
        #expect(manifest.files.map(\.size) == [224, 0, 1])
        #expect(
            manifest.files[0].path == "backup_label"
                && manifest.files[0].lastModified.description == "2025-12-18T10:30:00Z")
        #expect(manifest.files[0].checksum == .init(.crc32c, [0x7B, 0xFD, 0x8B, 0x8A]))
        #expect(manifest.files[1].rawPath == Array("base".utf8) + [0xFF] && manifest.files[1].checksum == nil)
        #expect(manifest.files[2].path == "a \"quoted\" é😀\n")
        #expect(try BackupManifest(manifest.bytes) == manifest)
    }

    @Test("what is no manifest is refused")
    func refusals() {
        let wrong = [
            ("\"Size\": 224", "\"Size\": -1"), ("\"Size\": 224", "\"Size\": 1.5"), ("\"Size\": 224", "\"Size\": \"1\""),
            ("\"Size\": 224", "\"Size\": 99999999999999999999"), ("\"Size\": 224, ", ""), ("7bfd8b8a", "7bfd8b8"),
            ("7bfd8b8a", "7bfd8bzz"), ("CRC32C", "MD5"), ("62617365ff", "626"), ("0/2000028", "2/0"),
            ("\"Timeline\": 1", "\"Timeline\": 0"), ("10:30:00 GMT", "25:30:00 GMT"), ("\\ud83d", ""), ("},\n", "}\n"),
            ("\"System-Identifier\": 18446744073709551615,\n", ""), ("Manifest-Version", "Manifest-Edition"),
            ("\"backup_label\"", "\"\""),
        ]
        for (old, new) in wrong {
            #expect(throws: FleetError.Code.corrupted, "\(old) → \(new)") {
                try code { try BackupManifest(sealed(sample.replacing(old, with: new))) }
            }
        }
        #expect(throws: FleetError.Code.unsupported) {
            try code { try BackupManifest(sealed(sample.replacing("Version\": 2", with: "Version\": 3"))) }
        }
        for text in [
            "", "{", "{ }\n", "[\n", String(repeating: "[", count: 5000) + "\n",
            "{ \"x\": \(String(repeating: "[", count: 5000))\n",
        ] {
            #expect(throws: FleetError.Code.corrupted) { try code { try BackupManifest(sealed(text)) } }
            #expect(throws: FleetError.Code.corrupted) { try code { try BackupManifest(Array(text.utf8)) } }
        }
    }

    @Test("no flipped bit passes the manifest's own checksum")
    func damage() throws {
        let bytes = sealed(sample)
        let manifest = try BackupManifest(bytes)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x01
            #expect(throws: FleetError.self) { try BackupManifest(damaged) }
            damaged[index] = bytes[index] ^ 0x20
            // Only the case of a hexadecimal digit may differ.
            if let read = try? BackupManifest(damaged) { #expect(read == manifest) }
        }
    }

    @Test("mutated text under a right checksum neither crashes nor loses what was read")
    func mutations() {
        var random = SplitMix(seed: 41)
        for _ in 0..<1500 {
            let text = String(decoding: random.mutated(Array(sample.utf8)), as: UTF8.self)
            if let manifest = try? BackupManifest(sealed(text.hasSuffix("\n") ? text : text + "\n")) {
                #expect((try? BackupManifest(manifest.bytes)) == manifest)
            }
        }
    }
}
