import Compression
import Crypto
import FleetPluginAPI
import PostgresFormats

/// The content of an archived segment, from the bytes that lie in the repository. All calls take processor time.
enum ArchivedContent {
    /// PostgreSQL's largest segment.
    static let limit = 1 << 30

    /// - Throws: `corrupted` when it is not what the file's name says: that carries the SHA-1 of the content.
    static func decode(_ bytes: [UInt8], _ file: ArchiveListing.File) throws -> [UInt8] {
        let content: [UInt8]
        do {
            content = try decompress(bytes, file.compression)
        } catch let error as CompressionError {
            throw FleetError(.corrupted, "\(file.path) is damaged", cause: error.message)
        }
        let sum = Insecure.SHA1.hash(data: content).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
        guard sum == file.sha1 else {
            throw FleetError(.corrupted, "\(file.path) is damaged", cause: "its SHA-1 is \(sum)")
        }
        return content
    }

    private static func decompress(_ bytes: [UInt8], _ compression: ArchiveCompression) throws -> [UInt8] {
        switch compression {
        // The two tools have done their work where the data is.
        case .none, .lz4, .bzip2: return bytes
        case .gzip: return try GzipDecompressor.decompress(bytes, limit: limit)
        case .zstd:
            var content: [UInt8] = []
            var stream = try ZstdDecompressionStream(limit: limit, windowLog: 27)
            try stream.write(bytes) { piece in
                piece.withUnsafeBytes { content += $0 }
            }
            try stream.finish()
            return content
        }
    }

    /// What the coordinator needs to know of a segment.
    ///
    /// - Throws: `corrupted` when it is no whole segment of this name.
    static func summary(_ content: [UInt8], _ name: String) throws -> WALSegmentSummary {
        let header = try WALSegmentHeader(Array(content.prefix(40)), acceptingNewer: true)
        guard let segment = WALSegmentName(name, segmentSize: header.segmentSize), segment.start == header.start,
            content.count == Int(header.segmentSize)
        else {
            throw FleetError(
                .corrupted, "\(name) is not the WAL segment that its name says", cause: "its header says \(header.name)"
            )
        }
        return try WALSegment(content, name: segment, acceptingNewer: true).summary
    }
}
