import FleetPluginAPI
import PostgresFormats

/// Takes the members of a base backup's archives apart into entries and pieces of chunks.
struct FileCollector: TarVisitor {
    /// Goes before the name of each member: empty, or `pg_tblspc/<oid>/`.
    var prefix = ""
    /// What is built upon.
    let base: BackupBase?
    /// Whether the server sends no more of a file than what has changed since the base.
    let isIncremental: Bool
    var received = ReceivedBackup()
    private var batch: [ChunkPiece] = []
    private var batchSize = 0
    private var file: OpenFile?
    private var incremental: IncrementalFile?
    /// Of tables, and the maps that must know of them.
    private var changed = ChangedBlocks()
    private var maps: [HeldMap] = []

    init(base: BackupBase?, isIncremental: Bool) {
        self.base = base
        self.isIncremental = isIncremental
    }

    /// A file whose content is coming in.
    private struct OpenFile {
        var index: Int
        /// Bytes still to come.
        var remaining: Int
        var piece: [UInt8] = []
        /// What the base has from here on.
        var base: ArraySlice<ChunkReference> = []
        /// Kept aside as well: `backup_label`.
        var label: [UInt8]?
    }

    /// Pieces that are handed on together: enough to be worth a task.
    private static let batchLimit = 1 << 20
    private static let batchPieces = 128

    /// The pieces that have come together; nil while they are too few, unless `always`.
    mutating func takeBatch(always: Bool = false) -> [ChunkPiece]? {
        guard !batch.isEmpty, always || batchSize >= Self.batchLimit || batch.count >= Self.batchPieces else {
            return nil
        }
        defer {
            batch = []
            batchSize = 0
        }
        return batch
    }

    mutating func begin(_ entry: TarEntry) throws {
        // The server writes `./pg_wal/archive_status`.
        let name = entry.path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        let path = prefix + name
        guard entry.pathHazard == nil, name.isEmpty || RelativePath.isSafe(path) else {
            throw FleetError(
                .unsupported, "the server sent a file called \(entry.path)",
                cause: "such a name cannot be restored", hint: "rename or remove the file in the data directory")
        }
        // The root of the archive itself.
        if name.isEmpty { return }
        let modified = entry.modified.microseconds / 1_000_000
        switch entry.kind {
        case .directory: received.directories.append(.init(path: path, mode: entry.mode, modified: modified))
        case .symbolicLink(let target): received.links.append(Self.link(path, target))
        case .file: try beginFile(path, entry, modified)
        case .hardLink, .other:
            throw FleetError(.protocolViolation, "the server sent \(path), which is neither file, directory nor link")
        }
    }

    private mutating func beginFile(_ path: String, _ entry: TarEntry, _ modified: Int64) throws {
        if isIncremental, let whole = Self.pathOfIncremental(path) {
            guard let base, let old = base.file(whole) else {
                throw FleetError(
                    .protocolViolation, "the server sent changes of \(whole), which the older backup has not")
            }
            received.files.append(
                .init(
                    path: whole, size: 0, mode: entry.mode, modified: modified, crc32c: CRC32C().value,
                    chunkChecksums: .init([])))
            if let map = RelationFile(path: whole), map.fork == .visibilityMap {
                maps.append(HeldMap(path: whole, file: map))
            }
            incremental = IncrementalFile(
                file: received.files.count - 1, sentPath: path, sentSize: Int64(entry.size),
                base: base.chunks(of: whole), checksums: old.chunkChecksums?.values ?? [])
            return
        }
        if isIncremental, let relation = RelationFile(path: path), relation.fork == .main {
            changed.addAll(of: relation)
        }
        received.files.append(
            .init(
                path: path, size: Int64(entry.size), mode: entry.mode, modified: modified, crc32c: CRC32C().value,
                chunkChecksums: .init([])))
        guard entry.size > 0 else { return }
        file = OpenFile(
            index: received.files.count - 1, remaining: Int(entry.size),
            base: base?.chunks(of: path) ?? [],
            label: path == "backup_label" ? [] : nil)
    }

    /// `base/5/INCREMENTAL.16384` is what is sent of `base/5/16384`.
    private static func pathOfIncremental(_ path: String) -> String? {
        let marker = "INCREMENTAL."
        let name = path.split(separator: "/").last ?? ""
        return name.hasPrefix(marker) ? String(path.dropLast(name.count) + name.dropFirst(marker.count)) : nil
    }

    private static func link(_ path: String, _ target: String) -> Manifest.Link {
        let names = path.split(separator: "/")
        let oid = names.count == 2 && names[0] == "pg_tblspc" ? UInt32(names[1]) : nil
        return Manifest.Link(path: path, target: target, tablespace: oid)
    }

    mutating func data(_ bytes: RawSpan) throws {
        if var incremental = incremental.take() {
            hand(on: try bytes.withUnsafeBytes { try incremental.take($0) }, incremental)
            self.incremental = incremental
            return
        }
        guard var file = self.file.take() else {
            throw FleetError(.protocolViolation, "the server sent content without a file")
        }
        bytes.withUnsafeBytes { content in
            file.remaining -= content.count
            file.label?.append(contentsOf: content)
            var rest = content[...]
            while !rest.isEmpty {
                if file.piece.isEmpty { file.piece.reserveCapacity(min(Pack.chunkSize, rest.count + file.remaining)) }
                let part = rest.prefix(Pack.chunkSize - file.piece.count)
                file.piece.append(contentsOf: UnsafeRawBufferPointer(rebasing: part))
                rest = rest.dropFirst(part.count)
                if file.piece.count == Pack.chunkSize { hand(on: &file) }
            }
        }
        self.file = file
    }

    mutating func end() throws {
        if var incremental = incremental.take() {
            hand(on: try incremental.finish(), incremental)
            if let relation = RelationFile(path: received.files[incremental.file].path), relation.fork == .main {
                changed.add(incremental.changed, of: relation)
            }
            received.files[incremental.file].size = incremental.size ?? 0
            received.sent[received.files[incremental.file].path] = .init(
                path: incremental.sentPath, size: incremental.sentSize, crc32c: incremental.sentChecksum.value)
            return
        }
        guard var file = self.file.take() else { return }
        if let label = file.label { endLabel(label, &file) }
        if !file.piece.isEmpty { hand(on: &file) }
    }

    /// What makes a backup incremental to PostgreSQL does not hold for what is made of it here.
    private mutating func endLabel(_ label: [UInt8], _ file: inout OpenFile) {
        received.backupLabel = label
        guard isIncremental else { return }
        received.sent["backup_label"] = .init(
            path: "backup_label", size: Int64(label.count), crc32c: CRC32C.checksum(label))
        file.piece = BackupLabel.withoutIncremental(label)
        received.files[file.index].size = Int64(file.piece.count)
        received.backupLabel = file.piece
    }

    /// Hands on the maps that were held back. Call it after the last archive.
    mutating func endMaps() {
        for map in maps { hand(on: map.cleared(changed)) }
        maps = []
    }

    private mutating func hand(on pieces: [ChunkPiece], _ incremental: IncrementalFile) {
        guard let last = maps.last, received.files[incremental.file].path == last.path else {
            return hand(on: pieces)
        }
        maps[maps.count - 1].pieces += pieces
    }

    private mutating func hand(on pieces: [ChunkPiece]) {
        for piece in pieces {
            if case .patch(let patch) = piece.content { batchSize += patch.length }
            batch.append(piece)
        }
    }

    private mutating func hand(on file: inout OpenFile) {
        batchSize += file.piece.count
        batch.append(ChunkPiece(file: file.index, content: .bytes(file.piece), base: file.base.popFirst()))
        file.piece = []
    }
}
