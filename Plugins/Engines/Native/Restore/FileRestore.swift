import DurableFiles
import FleetPluginAPI
import Glibc
import Synchronization

/// Writes the content of files: several pieces at once, only what differs, every byte checked before it is written.
struct FileRestore: Sendable {
    let target: RestoreTarget
    let manifest: Manifest
    let chunks: ChunkReader
    let meter: ProgressMeter
    let limit: RateLimit?

    /// A stretch of a file.
    struct Piece: Sendable {
        var file: Int
        /// In `Manifest.chunks`.
        var chunks: Range<Int>
        /// Where the stretch begins in the file.
        var offset: Int64
    }

    /// Content of one unit of work, at most, unless a single piece is larger.
    private static let unitSize: Int64 = 4 << 20
    private static let unitPieces = 256

    /// Restores everything but `pg_control`. Returns how many bytes were written.
    func run() async throws -> Int64 {
        var written: Int64 = 0
        var tasks = OrderedTasks<Int64>(limit: Workers.count + 2)
        do {
            for unit in units() {
                if tasks.isFull { written += try await tasks.take() }
                tasks.add { try await restore(unit) }
            }
            while !tasks.isEmpty { written += try await tasks.take() }
        } catch {
            await tasks.abandon()
            throw error
        }
        return written
    }

    /// The last file of all: with it the data directory can be started.
    func restoreControlFile() async throws {
        guard let file = manifest.files.first(where: { $0.path == RestoreTarget.controlFile }) else {
            throw FleetError(.corrupted, "the backup \(manifest.header.label) has no \(RestoreTarget.controlFile)")
        }
        let references = Array(manifest.chunks[file.chunks])
        let target = target
        let content = try await Task(executorPreference: Workers.executor) { [chunks] in
            try await chunks.read(references).flatMap { $0 }
        }.value
        try await Workers.run {
            try BlockingDisk.write(
                content, to: target.path(file.path), WriteOptions(mode: file.mode, owner: target.owner))
        }
    }

    /// In the order in which the chunks lie in the packs, so that neighbours are read together.
    private func units() -> [[Piece]] {
        var pieces: [Piece] = []
        for (index, file) in manifest.files.enumerated() where target.isRestored(file.path) {
            let perPiece = Int(Self.unitSize) / Pack.chunkSize
            var offset: Int64 = 0
            for start in stride(from: file.chunks.lowerBound, to: file.chunks.upperBound, by: perPiece) {
                let range = start..<min(start + perPiece, file.chunks.upperBound)
                pieces.append(Piece(file: index, chunks: range, offset: offset))
                offset += manifest.chunks[range].reduce(0) { $0 + Int64($1.rawLength) }
            }
        }
        pieces.sort { left, right in
            let (left, right) = (manifest.chunks[left.chunks.lowerBound], manifest.chunks[right.chunks.lowerBound])
            return (left.pack, left.offset) < (right.pack, right.offset)
        }
        var units: [[Piece]] = []
        var size: Int64 = 0
        for piece in pieces {
            let bytes = manifest.chunks[piece.chunks].reduce(0) { $0 + Int64($1.rawLength) }
            if units.isEmpty || size + bytes > Self.unitSize || units[units.count - 1].count >= Self.unitPieces {
                units.append([])
                size = 0
            }
            units[units.count - 1].append(piece)
            size += bytes
        }
        return units
    }

    /// Brings the stretches of a unit up to date. Returns how many bytes that took.
    private func restore(_ unit: [Piece]) async throws -> Int64 {
        try Task.checkCancellation()
        var missing: [(file: OpenFile, offset: Int64, chunk: ChunkReference)] = []
        var kept: Int64 = 0
        var buffer = [UInt8](repeating: 0, count: Pack.chunkSize)
        for piece in unit {
            let file = manifest.files[piece.file]
            let open = try OpenFile(target.path(file.path), size: file.size)
            var offset = piece.offset
            for chunk in manifest.chunks[piece.chunks] {
                if try open.has(chunk, at: offset, &buffer) {
                    kept += Int64(chunk.rawLength)
                } else {
                    missing.append((open, offset, chunk))
                }
                offset += Int64(chunk.rawLength)
            }
        }
        meter.add(kept)
        try await limit?.pass(missing.reduce(0) { $0 + Int64($1.chunk.rawLength) })
        let contents = try await chunks.read(missing.map(\.chunk))
        var written: Int64 = 0
        for ((file, offset, _), content) in zip(missing, contents) {
            try file.write(content, at: offset)
            written += Int64(content.count)
        }
        meter.add(written)
        return written
    }
}

/// A file that is being restored.
private final class OpenFile: Sendable {
    let path: String
    // Closed only in deinit; pread and pwrite take their own positions.
    private let file: Int32
    /// What the file had before, which is all there is to compare with.
    private let previousSize: Int64

    init(_ path: String, size: Int64) throws {
        self.path = path
        file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FleetError(errno: errno, "cannot open \(path)") }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            let code = errno
            close(file)
            throw FleetError(errno: code, "cannot look at \(path)")
        }
        previousSize = Int64(status.st_size)
        if previousSize > size, ftruncate(file, off_t(size)) != 0 {
            let code = errno
            close(file)
            throw FleetError(errno: code, "cannot cut \(path)")
        }
    }

    deinit {
        close(file)
    }

    /// Whether the chunk's bytes are there already.
    func has(_ chunk: ChunkReference, at offset: Int64, _ buffer: inout [UInt8]) throws -> Bool {
        let length = Int(chunk.rawLength)
        guard offset + Int64(length) <= previousSize else { return false }
        return try buffer.withUnsafeMutableBytes { buffer in
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<length])
            guard try FileBytes.read(part, from: file, at: offset, path) == length else { return false }
            return ContentHash(of: UnsafeRawBufferPointer(part)) == chunk.hash
        }
    }

    func write(_ content: [UInt8], at offset: Int64) throws {
        try content.withUnsafeBytes { try FileBytes.write($0, to: file, at: offset, path) }
    }
}
