import Compression
import FleetPluginAPI

extension Manifest {
    /// Reads a stored manifest and checks that it is whole and consistent in itself.
    ///
    /// - Throws: `corrupted` that names `subject`; `unsupported` for a newer format.
    init(decoding bytes: [UInt8], _ subject: String) throws {
        var reader = ByteReader(try Zstd.decompressFrames(bytes, limit: ManifestRecord.limit, subject), subject)
        try reader.expect(ManifestRecord.tag)
        guard try reader.integer(UInt8.self) == ManifestRecord.header.rawValue else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "its header is missing")
        }
        let length = Int(try reader.integer(UInt32.self))
        let header = try JSONText.decode(Header.self, Array(try reader.take(length)), subject)
        try RepositoryFormat.check(header.format, subject)
        self.init(header: header)
        var totals: ManifestTotals?
        while !reader.isAtEnd {
            guard totals == nil else {
                throw FleetError(.corrupted, "\(subject) is damaged", cause: "something follows its end")
            }
            totals = try read(&reader, subject)
        }
        guard totals == ManifestTotals(self) else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "its totals do not fit its content")
        }
        try check(subject)
    }

    /// Takes one record; returns the totals when it is the end.
    private mutating func read(_ reader: inout ByteReader, _ subject: String) throws -> ManifestTotals? {
        let type = try reader.integer(UInt8.self)
        guard let record = ManifestRecord(rawValue: type) else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it has a record of unknown type \(type)")
        }
        let length = Int(try reader.integer(UInt32.self))
        let payload = Array(try reader.take(length))
        switch record {
        case .header: throw FleetError(.corrupted, "\(subject) is damaged", cause: "it has two headers")
        case .pack: packs.append(try JSONText.decode(PackEntry.self, payload, subject))
        case .directory: directories.append(try JSONText.decode(Directory.self, payload, subject))
        case .link: links.append(try JSONText.decode(Link.self, payload, subject))
        case .file:
            var file = try JSONText.decode(File.self, payload, subject)
            file.chunks = chunks.count..<chunks.count
            files.append(file)
        case .chunks: try readChunks(payload, subject)
        case .serverManifest: serverManifest = payload
        case .backupLabel: backupLabel = payload
        case .tablespaceMap: tablespaceMap = payload
        case .end: return try JSONText.decode(ManifestTotals.self, payload, subject)
        }
        return nil
    }

    private mutating func readChunks(_ payload: [UInt8], _ subject: String) throws {
        guard let last = files.indices.last, payload.count.isMultiple(of: ChunkReference.encodedSize) else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "a chunk table is misplaced or cut short")
        }
        var reader = ByteReader(payload, subject)
        while !reader.isAtEnd {
            chunks.append(
                ChunkReference(
                    pack: try reader.integer(UInt32.self), offset: try reader.integer(UInt32.self),
                    storedLength: try reader.integer(UInt32.self), rawLength: try reader.integer(UInt32.self),
                    hash: try reader.hash()))
        }
        files[last].chunks = files[last].chunks.lowerBound..<chunks.count
    }

    /// Chunks lie in packs that are listed, files are as long as their chunks, no path leads out of the data directory.
    private func check(_ subject: String) throws {
        for chunk in chunks {
            guard Int(chunk.pack) < packs.count, chunk.range.upperBound <= packs[Int(chunk.pack)].size,
                chunk.rawLength > 0, Int(chunk.rawLength) <= Pack.chunkSize
            else { throw FleetError(.corrupted, "\(subject) is damaged", cause: "a chunk lies outside its pack") }
        }
        for file in files {
            guard chunks[file.chunks].reduce(0, { $0 + Int64($1.rawLength) }) == file.size,
                file.chunkChecksums.map({ $0.values.count == file.chunks.count }) ?? true
            else {
                throw FleetError(
                    .corrupted, "\(subject) is damaged", cause: "the chunks of \(file.path) are not as long as it is")
            }
        }
        for path in files.map(\.path) + directories.map(\.path) + links.map(\.path) {
            guard RelativePath.isSafe(path) else {
                throw FleetError(.corrupted, "\(subject) is damaged", cause: "it names the path \(path)")
            }
        }
    }
}

enum RelativePath {
    /// Whether a path stays below where it begins: no empty, `.` or `..` component, not absolute, no NUL.
    static func isSafe(_ path: String) -> Bool {
        !path.utf8.contains(0)
            && path.split(separator: "/", omittingEmptySubsequences: false)
                .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }
}
