import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import PostgresFormats
import Testing

/// What pg_basebackup brings from a real server, read.
@Suite("a real base backup")
struct BaseBackupTests {
    /// A server with a tablespace of an awkward path and a table in it.
    private func withTablespace(_ body: (PostgresServer, _ space: String) async throws -> Void) async throws {
        try await withPostgres { server in
            let space = try server.scratch.directory("space \\ one", owner: server.installation.owner)
            try await server.query("create tablespace space location '\(space)'")
            try await server.query("create table t tablespace space as select generate_series(1, 5000) i")
            try await body(server, space)
        }
    }

    private func backup(_ server: PostgresServer, _ name: String, _ options: [String]) async throws -> String {
        let parent = try server.scratch.directory("\(name).d", owner: server.installation.owner)
        try await server.run(
            "pg_basebackup", ["-D", "\(parent)/\(name)", "-c", "fast", "-X", "none", "-l", "nightly: one"] + options,
            connects: true
        ).checked()
        return "\(parent)/\(name)"
    }

    @Test(
        "manifest, label, tablespace map and archives agree with one another", arguments: ["CRC32C", "SHA512", "NONE"])
    func everything(algorithm: String) async throws {
        try await withTablespace { server, space in
            let directory = try await backup(server, "tar", ["-Ft", "--manifest-checksums", algorithm])
            let manifestBytes = try fileBytes("\(directory)/backup_manifest")
            let manifest = try BackupManifest(manifestBytes)
            #expect(manifest.bytes == manifestBytes)
            #expect(manifest.version == (server.installation.major >= 17 ? 2 : 1))

            let oid = try await server.value("select oid from pg_tablespace where spcname = 'space'")
            var members = Members(algorithm: algorithm)
            for archive in ["base", oid] {
                var reader = TarReader()
                members.prefix = archive == "base" ? "" : "pg_tblspc/\(oid)/"
                let bytes = try fileBytes("\(directory)/\(archive).tar")
                var random = SplitMix(seed: 31)
                var rest = bytes[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(Int.random(in: 1...200_000, using: &random))
                    try reader.feed(Array(piece), &members)
                    rest = rest.dropFirst(piece.count)
                }
                try reader.finish()
                #expect(reader.isTerminated)
            }
            for file in manifest.files {
                let member = try #require(members.files[file.path], "\(file.path)")
                #expect(member.size == file.size && member.checksum == file.checksum, "\(file.path)")
                #expect(abs((member.modified - file.lastModified).microseconds) <= 1_000_000)
            }
            #expect(manifest.files.count > 900 && members.files.count == manifest.files.count)
            #expect(members.hazards.isEmpty)
            #expect(members.directories.contains("pg_wal/archive_status") && members.directories.contains("base/1"))

            let label = try BackupLabel(try #require(members.kept["backup_label"]))
            #expect(label.startLSN == manifest.walRanges.first?.start && label.timeline == 1)
            #expect(label.method == "streamed" && label.source == "primary" && label.label == "nightly: one")
            #expect(label.startSegment == WALSegmentName(timeline: 1, containing: label.startLSN).description)
            #expect(label.checkpointLSN >= label.startLSN)
            #expect(label.startTime.map { abs(($0 - .now).microseconds) < 600_000_000 } == true)
            let mapBytes = try #require(members.kept["tablespace_map"])
            let map = try TablespaceMap(mapBytes)
            #expect(map.tablespaces.map(\.path) == [space] && map.tablespaces.map { "\($0.oid)" } == [oid])
            #expect(map.bytes == mapBytes)
            #expect(try ControlFile(try #require(members.kept["global/pg_control"])).state == .inProduction)
            #expect(PostgresVersionFile.major(try #require(members.kept["PG_VERSION"])) == server.installation.major)
        }
    }

    /// Collects what a test compares.
    private struct Members: TarVisitor {
        struct File {
            var size: UInt64
            var modified: Timestamp
            var checksum: BackupManifest.Checksum?
        }

        var algorithm: String
        var prefix = ""
        var files: [String: File] = [:]
        var directories: Set<String> = []
        var hazards: [String] = []
        var kept: [String: [UInt8]] = [:]
        private var entry: TarEntry?
        private var bytes: [UInt8] = []
        private var hasher: ManifestHasher?

        init(algorithm: String) {
            self.algorithm = algorithm
        }

        mutating func begin(_ entry: TarEntry) {
            self.entry = entry
            bytes = []
            hasher = BackupManifest.ChecksumAlgorithm(rawValue: algorithm).flatMap { ManifestHasher($0) }
            if entry.pathHazard != nil { hazards.append(entry.path) }
            if entry.kind == .directory { directories.insert(entry.path) }
        }

        mutating func data(_ slice: RawSpan) {
            hasher?.update(slice)
            if ["backup_label", "tablespace_map", "global/pg_control", "PG_VERSION"].contains(entry?.path) {
                slice.withUnsafeBytes { bytes += $0 }
            }
        }

        mutating func end() {
            guard let entry, entry.kind == .file else { return }
            files[prefix + entry.path] = File(
                size: entry.size, modified: entry.modified, checksum: hasher?.finalize())
            if prefix.isEmpty { kept[entry.path] = bytes }
        }
    }

    @Test("fifty thousand files are read and written")
    func large() throws {
        let time = try #require(Timestamp(postgresText: "2025-12-18 10:30:00 GMT"))
        let files = (0..<50_000).map { index in
            BackupManifest.File(
                path: "base/\(index / 1000)/\(index)", size: 8192 * UInt64(index), lastModified: time,
                checksum: .init(.sha256, Array(repeating: UInt8(index % 256), count: 32)))
        }
        let manifest = BackupManifest(
            version: 2, systemIdentifier: SystemIdentifier(rawValue: .max), files: files,
            walRanges: [.init(timeline: 3, start: LSN(1 << 40), end: LSN(1 << 41))])
        #expect(try BackupManifest(manifest.bytes) == manifest)
    }
}
