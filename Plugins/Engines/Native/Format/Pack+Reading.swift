import Compression
import FleetPluginAPI

/// A pack that has been read whole and whose checksum is right.
struct PackContents {
    var entry: PackEntry
    var bytes: [UInt8]
    /// Every chunk, in the order in which they lie; `pack` is 0.
    var chunks: [ChunkReference]

    /// - Throws: `corrupted` that names the pack and what is wrong with it.
    init(_ bytes: [UInt8], id: String) throws(FleetError) {
        let subject = "the pack \(id)"
        let header = Pack.header(id)
        guard bytes.count >= header.count + SkippableFrame.headerSize + Pack.footerSize else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it has only \(bytes.count) bytes")
        }
        guard bytes.starts(with: header) else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it does not begin as this pack does")
        }
        var footer = ByteReader(bytes, subject, range: bytes.count - Pack.footerSize..<bytes.count)
        let count = Int(try footer.integer(UInt32.self))
        _ = try footer.integer(UInt32.self)
        let hashed = footer.offset
        let hash = try footer.hash()
        try footer.expect(Pack.footerTag)
        guard bytes.withUnsafeBytes({ ContentHash(of: UnsafeRawBufferPointer(rebasing: $0[..<hashed])) }) == hash else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "its SHA-256 differs")
        }
        let indexStart = bytes.count - Pack.footerSize - count * Pack.entrySize
        guard indexStart >= header.count + SkippableFrame.headerSize else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "its index is larger than the pack")
        }
        chunks = try Self.index(
            ByteReader(bytes, subject, range: indexStart..<bytes.count - Pack.footerSize), count,
            within: header.count..<indexStart - SkippableFrame.headerSize, subject)
        self.bytes = bytes
        entry = PackEntry(id: id, size: Int64(bytes.count), sha256: hash)
    }

    fileprivate static func index(
        _ reader: ByteReader, _ count: Int, within frames: Range<Int>, _ subject: String
    ) throws(FleetError) -> [ChunkReference] {
        var reader = reader
        var chunks: [ChunkReference] = []
        chunks.reserveCapacity(count)
        var position = frames.lowerBound
        for _ in 0..<count {
            let chunk = ChunkReference(
                pack: 0, offset: try reader.integer(UInt32.self), storedLength: try reader.integer(UInt32.self),
                rawLength: try reader.skipping(UInt32.self), hash: try reader.hash())
            guard Int(chunk.offset) == position, chunk.range.upperBound <= frames.upperBound else {
                throw FleetError(.corrupted, "\(subject) is damaged", cause: "its index does not fit its frames")
            }
            position += Int(chunk.storedLength)
            chunks.append(chunk)
        }
        return chunks
    }
}

/// What lies where in a pack, read from its end alone: the chunks themselves are not looked at.
struct PackIndex: Sendable {
    var entry: PackEntry
    /// In the order in which they lie; `pack` is 0.
    var chunks: [ChunkReference]

    /// - Throws: `corrupted` when no index ends the object.
    static func read(_ id: String, size: Int64, _ instance: InstanceRepository) async throws -> PackIndex {
        let subject = "the pack \(id)"
        let key = instance.keys.pack(id)
        let smallest = Int64(Pack.header(id).count + SkippableFrame.headerSize + Pack.footerSize)
        guard size >= smallest else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it has only \(size) bytes")
        }
        let tail = try await instance.storage.get(key, range: size - Int64(Pack.footerSize)..<size)
        var footer = ByteReader(tail, subject)
        let count = Int(try footer.integer(UInt32.self))
        _ = try footer.integer(UInt32.self)
        let hash = try footer.hash()
        try footer.expect(Pack.footerTag)
        let end = size - Int64(Pack.footerSize)
        let start = end - Int64(count * Pack.entrySize)
        guard start >= smallest - Int64(Pack.footerSize) else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "its index is larger than the pack")
        }
        let index = try await instance.storage.get(key, range: start..<end)
        let chunks = try PackContents.index(
            ByteReader(index, subject), count,
            within: Pack.header(id).count..<Int(start) - SkippableFrame.headerSize, subject)
        return PackIndex(entry: PackEntry(id: id, size: size, sha256: hash), chunks: chunks)
    }
}

extension ByteReader {
    /// An integer followed by a reserved one of the same size.
    fileprivate mutating func skipping<Value: FixedWidthInteger>(_ type: Value.Type) throws(FleetError) -> Value {
        let value = try integer(type)
        _ = try integer(type)
        return value
    }
}
