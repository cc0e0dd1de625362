import Compression
import FleetPluginAPI

extension Manifest {
    /// The stored object: zstd frames one after the other.
    func encoded() throws -> [UInt8] {
        var writer = ManifestWriter()
        writer.content.append(ascii: ManifestRecord.tag)
        try writer.add(.header, header)
        for pack in packs { try writer.add(.pack, pack) }
        for directory in directories { try writer.add(.directory, directory) }
        for link in links { try writer.add(.link, link) }
        for file in files {
            try writer.add(.file, file)
            if !file.chunks.isEmpty { try writer.add(.chunks, table(file.chunks)) }
        }
        if let backupLabel { try writer.add(.backupLabel, backupLabel) }
        if let tablespaceMap { try writer.add(.tablespaceMap, tablespaceMap) }
        try writer.add(.serverManifest, serverManifest)
        try writer.add(.end, ManifestTotals(self))
        return try writer.finish()
    }

    private func table(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count * ChunkReference.encodedSize)
        for chunk in chunks[range] {
            bytes.append(littleEndian: chunk.pack)
            bytes.append(littleEndian: chunk.offset)
            bytes.append(littleEndian: chunk.storedLength)
            bytes.append(littleEndian: chunk.rawLength)
            bytes += chunk.hash.bytes
        }
        return bytes
    }
}

private struct ManifestWriter: ~Copyable {
    var content: [UInt8] = []
    private var frames: [UInt8] = []

    mutating func add(_ record: ManifestRecord, _ value: some Encodable) throws {
        try add(record, try JSONText.encode(value))
    }

    mutating func add(_ record: ManifestRecord, _ bytes: [UInt8]) throws {
        content.append(record.rawValue)
        content.append(littleEndian: UInt32(bytes.count))
        content += bytes
        if content.count >= ManifestRecord.frameSize { try flush() }
    }

    consuming func finish() throws -> [UInt8] {
        if !content.isEmpty { try flush() }
        return frames
    }

    private mutating func flush() throws {
        frames += try Zstd.compress(content, level: 3)
        content.removeAll(keepingCapacity: true)
    }
}
