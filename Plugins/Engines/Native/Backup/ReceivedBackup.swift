import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// A base backup that has been received.
struct ReceivedBackup: Sendable {
    var startLSN = LSN.zero
    var stopLSN = LSN.zero
    var stopTime = Timestamp(microseconds: 0)
    var timeline: TimelineID = 0
    var tablespaces: [BackupRecord.Tablespace] = []
    var directories: [Manifest.Directory] = []
    var links: [Manifest.Link] = []
    var files: [Manifest.File] = []
    var chunks: [ChunkReference] = []
    var packs: [PackEntry] = []
    var reusedChunks = 0
    var serverManifest: [UInt8] = []
    var backupLabel: [UInt8]?
    /// Files of which the server sent something else than what they have become, by path.
    var sent: [String: Sent] = [:]

    struct Sent: Hashable, Sendable {
        /// In the server's manifest.
        var path: String
        var size: Int64
        var crc32c: UInt32
    }

    /// Adds the next chunk of its file. Files come one after the other.
    mutating func add(_ chunk: StoredChunk) {
        let range = files[chunk.file].chunks
        chunks.append(chunk.reference)
        files[chunk.file].chunks = (range.isEmpty ? chunks.count - 1 : range.lowerBound)..<chunks.count
        // What was taken over whole came with its checksums.
        guard let checksum = chunk.checksum else { return }
        files[chunk.file].chunkChecksums?.values.append(checksum)
        files[chunk.file].crc32c = CRC32C.combine(
            files[chunk.file].crc32c, checksum, count: Int(chunk.reference.rawLength))
    }

    mutating func add(_ chunks: [StoredChunk]) {
        for chunk in chunks { add(chunk) }
    }

    /// Stores a small file's content, which comes after that of all files before.
    mutating func add(content: [UInt8], of file: Int, _ writer: inout ChunkWriter) async throws {
        files[file].size = Int64(content.count)
        let pieces = stride(from: 0, to: content.count, by: Pack.chunkSize).map { start in
            ChunkPiece(
                file: file, content: .bytes(Array(content[start..<min(start + Pack.chunkSize, content.count)])),
                base: nil)
        }
        add(try await writer.add(pieces))
    }

    /// The manifest of the files as they are in this backup.
    func manifest(_ server: ServerFacts) -> BackupManifest {
        BackupManifest(
            version: server.version >= 170_000 ? 2 : 1,
            systemIdentifier: server.version >= 170_000 ? server.identity.systemIdentifier : nil,
            files: files.map { file in
                BackupManifest.File(
                    path: file.path, size: UInt64(file.size),
                    lastModified: Timestamp(microseconds: file.modified * 1_000_000),
                    checksum: .init(crc32c: file.crc32c))
            },
            walRanges: [.init(timeline: timeline, start: startLSN, end: stopLSN)])
    }

    /// Takes over what was written. Call it after the last chunk.
    mutating func finish(_ writer: ChunkWriter) {
        packs = writer.packs
        reusedChunks = writer.reused
        dropUnusedPacks()
    }

    /// Packs of the base that nothing is taken from any more are free to be removed with it.
    private mutating func dropUnusedPacks() {
        var isUsed = [Bool](repeating: false, count: packs.count)
        for chunk in chunks { isUsed[Int(chunk.pack)] = true }
        var numbers = [UInt32](repeating: 0, count: packs.count)
        var used: [PackEntry] = []
        for (index, pack) in packs.enumerated() where isUsed[index] {
            numbers[index] = UInt32(used.count)
            used.append(pack)
        }
        guard used.count < packs.count else { return }
        for index in chunks.indices { chunks[index].pack = numbers[Int(chunks[index].pack)] }
        packs = used
    }
}
