import FleetPluginAPI
import PostgresFormats

/// Takes one tar archive of a base backup apart.
struct ArchiveReceiver {
    /// Goes before the name of each member.
    private let prefix: String
    private var reader = TarReader()
    private var batch: [ChunkPiece] = []
    private var batchSize = 0
    private var file: OpenFile?

    /// A file whose content is coming in.
    private struct OpenFile {
        var index: Int
        /// Bytes still to come.
        var remaining: Int64
        /// Nil for a file of one chunk: the chunk's digest is the file's.
        var hasher: Hasher256?
        var piece: [UInt8] = []
        /// Kept aside as well: `backup_label`.
        var label: [UInt8]?
    }

    /// Pieces that are handed on together: enough to be worth a task.
    private static let batchSize = 1 << 20
    private static let batchPieces = 128

    init(prefix: String) {
        self.prefix = prefix
    }

    mutating func take(_ bytes: [UInt8], _ backup: inout ReceivedBackup) throws {
        var reader = reader
        try reader.feed(bytes) { event in
            switch event {
            case .entry(let entry): try begin(entry, &backup)
            case .content(let content): try add(content, &backup)
            }
        }
        self.reader = reader
    }

    /// The pieces that have come together; nil while they are too few, unless `always`.
    mutating func takeBatch(always: Bool) -> [ChunkPiece]? {
        guard !batch.isEmpty, always || batchSize >= Self.batchSize || batch.count >= Self.batchPieces else {
            return nil
        }
        defer {
            batch = []
            batchSize = 0
        }
        return batch
    }

    /// The archive is over.
    func end() throws {
        try reader.finish()
    }

    private mutating func begin(_ entry: TarEntry, _ backup: inout ReceivedBackup) throws {
        var name = entry.path
        while name.hasSuffix("/") { name.removeLast() }
        let path = prefix + name
        guard RelativePath.isSafe(path) else {
            throw FleetError(.protocolViolation, "the server sent a file called \(path)")
        }
        switch entry.kind {
        case .directory:
            backup.directories.append(.init(path: path, mode: entry.mode, modified: entry.modified))
        case .symbolicLink(let target):
            backup.links.append(Self.link(path, target))
        case .file:
            var file = Manifest.File(
                path: path, size: entry.size, mode: entry.mode, modified: entry.modified,
                sha256: ReceivedBackup.unhashed)
            if entry.size == 0 { file.sha256 = ContentHash(of: []) }
            backup.files.append(file)
            guard entry.size > 0 else { return }
            self.file = OpenFile(
                index: backup.files.count - 1, remaining: entry.size,
                hasher: entry.size > Pack.chunkSize ? Hasher256() : nil,
                label: path == "backup_label" ? [] : nil)
            file.chunks = 0..<0
        }
    }

    private static func link(_ path: String, _ target: String) -> Manifest.Link {
        let name = path.split(separator: "/")
        let oid = name.count == 2 && name[0] == "pg_tblspc" ? UInt32(name[1]) : nil
        return Manifest.Link(path: path, target: target, tablespace: oid)
    }

    private mutating func add(_ content: UnsafeRawBufferPointer, _ backup: inout ReceivedBackup) throws {
        guard var file = self.file.take() else {
            throw FleetError(.protocolViolation, "the server sent content without a file")
        }
        var rest = content[...]
        file.remaining -= Int64(content.count)
        file.hasher?.update(content)
        file.label?.append(contentsOf: content)
        while !rest.isEmpty {
            if file.piece.isEmpty {
                file.piece.reserveCapacity(min(Pack.chunkSize, rest.count + Int(clamping: file.remaining)))
            }
            let part = rest.prefix(Pack.chunkSize - file.piece.count)
            file.piece.append(contentsOf: UnsafeRawBufferPointer(rebasing: part))
            rest = rest.dropFirst(part.count)
            if file.piece.count == Pack.chunkSize { hand(on: &file) }
        }
        guard file.remaining == 0 else { return self.file = file }
        if !file.piece.isEmpty { hand(on: &file) }
        if let hasher = file.hasher { backup.files[file.index].sha256 = hasher.finish() }
        if let label = file.label { backup.backupLabel = label }
    }

    private mutating func hand(on file: inout OpenFile) {
        batchSize += file.piece.count
        batch.append(ChunkPiece(file: file.index, bytes: file.piece))
        file.piece = []
    }
}
