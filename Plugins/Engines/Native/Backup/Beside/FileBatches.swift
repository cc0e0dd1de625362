import FleetPluginAPI
import PostgresFormats

/// Divides the files of a data directory into batches that are worth a task each, one after the other.
struct FileBatches: Sendable {
    let scan: DataDirectoryScan
    let base: BackupBase?
    let trust: BaseTrust?
    /// Files of the scan that were begun.
    private var next = 0
    private var open: OpenFile?

    private static let sizeLimit = 1 << 20
    private static let workLimit = 128

    init(scan: DataDirectoryScan, base: BackupBase?, trust: BaseTrust?) {
        self.scan = scan
        self.base = base
        self.trust = trust
    }

    struct Batch: Sendable {
        var work: [Work] = []
        /// Bytes of files that it stands for, and those that are read for it.
        var size: Int64 = 0
        var bytesRead: Int64 = 0
    }

    enum Work: Sendable {
        case read(FileStretch)
        /// A whole file is what the older backup has.
        case takeOver(file: Int, ArraySlice<ChunkReference>)

        /// Blocks.
        func pieces(_ reader: FileStretchReader) throws -> [ChunkPiece] {
            switch self {
            case .read(let stretch): try reader.pieces(of: stretch)
            case .takeOver(let file, let chunks):
                chunks.map { ChunkPiece(file: file, content: .same($0, checksum: nil), base: $0) }
            }
        }
    }

    /// A file of which part is still to be read.
    private struct OpenFile {
        var file: DataDirectoryScan.File
        /// Index in the backup.
        var index: Int
        var offset: Int64 = 0
        var base: ArraySlice<ChunkReference>
        var checksums: ArraySlice<UInt32>
    }

    /// The next batch; its files are entered into the backup. `pg_control`, which comes last of all, is entered only.
    mutating func next(_ received: inout ReceivedBackup) -> Batch? {
        var batch = Batch()
        while batch.work.count < Self.workLimit, batch.bytesRead < Int64(Self.sizeLimit) {
            if open == nil {
                guard next < scan.files.count else { break }
                begin(scan.files[next], &batch, &received)
                next += 1
            }
            guard var file = open.take() else { continue }
            let count = min(Int64(Self.sizeLimit), file.file.size - file.offset)
            let pieces = (Int(count) + Pack.chunkSize - 1) / Pack.chunkSize
            batch.work.append(
                .read(
                    FileStretch(
                        file: file.index, place: scan.place(of: file.file.path), path: file.file.path,
                        relation: file.file.relation, offset: file.offset, count: Int(count),
                        base: file.base.prefix(pieces), baseChecksums: file.checksums.prefix(pieces))))
            batch.size += count
            batch.bytesRead += count
            file.offset += count
            file.base = file.base.dropFirst(pieces)
            file.checksums = file.checksums.dropFirst(pieces)
            if file.offset < file.file.size { open = file }
        }
        return batch.work.isEmpty ? nil : batch
    }

    private mutating func begin(
        _ file: DataDirectoryScan.File, _ batch: inout Batch, _ received: inout ReceivedBackup
    ) {
        var entry = Manifest.File(
            path: file.path, size: file.size, mode: file.mode, modified: file.modified, crc32c: CRC32C().value,
            chunkChecksums: .init([]))
        let old = base?.file(file.path)
        let chunks = base?.chunks(of: file.path) ?? []
        if let trust, let old, trust.isUnchanged(file, old) {
            entry.crc32c = old.crc32c
            entry.chunkChecksums = old.chunkChecksums
            batch.work.append(.takeOver(file: received.files.count, chunks))
            batch.size += file.size
        } else if file.path != RestoreTarget.controlFile, file.size > 0 {
            open = OpenFile(
                file: file, index: received.files.count, base: chunks,
                checksums: old?.chunkChecksums?.values[...] ?? [])
        }
        received.files.append(entry)
    }
}
