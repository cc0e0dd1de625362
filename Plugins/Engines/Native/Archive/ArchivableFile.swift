import DurableFiles
import FleetPluginAPI
import PostgresFormats

/// A file of `pg_wal` that has been read and understood as far as archiving it needs.
struct ArchivableFile: Sendable {
    var name: WALFileName
    var content: [UInt8]
    private(set) var sha256 = ContentHash(of: [])
    /// The content as one zstd frame.
    private(set) var frame: [UInt8] = []
    /// Nil for a history file that nothing says the origin of.
    var systemIdentifier: SystemIdentifier?
    var segmentSize: UInt64?
    var summary: WALSegmentSummary?
    /// Why there is no summary of a segment.
    var remark: String?

    /// Reads the file; hashes, compresses and indexes it side by side.
    ///
    /// - Throws: `usage` for a name that PostgreSQL does not archive, `corrupted` when the bytes are not what the name
    ///   says.
    static func read(_ path: String) async throws -> ArchivableFile {
        try await finish(Workers.run { try ArchivableFile(path) })
    }

    /// A segment that is in memory.
    ///
    /// - Parameter subject: what it is, for errors.
    static func make(_ name: WALFileName, _ content: [UInt8], _ subject: String) async throws -> ArchivableFile {
        var file = ArchivableFile(name: name, content: content)
        try file.checkSegment(subject)
        return try await finish(file)
    }

    private init(name: WALFileName, content: [UInt8]) {
        self.name = name
        self.content = content
    }

    private static func finish(_ read: ArchivableFile) async throws -> ArchivableFile {
        var file = read
        let content = file.content
        async let hash = Workers.run { ContentHash(of: content) }
        async let frame = Workers.run { try Zstd.compress(content, level: 1) }
        if file.name.kind == .segment, let segment = file.segmentSize.flatMap({ file.name.segment(ofSize: $0) }) {
            // What cannot be understood is archived all the same: only the index is poorer.
            do {
                file.summary = try await Workers.run {
                    try WALSegment(content, name: segment, acceptingNewer: true).summary
                }
            } catch {
                file.remark = "\(error)"
            }
        }
        (file.sha256, file.frame) = try await (hash, frame)
        return file
    }

    /// Reads the file and sees that it is what its name says. Blocks.
    private init(_ path: String) throws {
        let last = String(path.split(separator: "/").last ?? "")
        guard let name = WALFileName(last) else {
            throw FleetError(.usage, "\(path) has not the name of a WAL file")
        }
        self.name = name
        content = try BlockingDisk.read(path, limit: WALObject.contentLimit)
        switch name.kind {
        case .segment, .partial: try checkSegment(path)
        case .history, .backupHistory:
            let control = DataDirectory(ofWALFile: path).control
            systemIdentifier = control?.systemIdentifier
            segmentSize = name.kind == .history ? nil : control?.walSegmentSize
        }
    }

    private mutating func checkSegment(_ path: String) throws {
        let header = try WALSegmentHeader(Array(content.prefix(40)), acceptingNewer: true)
        guard let segment = name.segment(ofSize: header.segmentSize), segment.start == header.start,
            segment.timeline >= header.timeline
        else {
            throw FleetError(
                .corrupted, "\(path) is not the WAL segment that its name says",
                cause: "its header says that it is \(header.name)")
        }
        guard content.count == Int(header.segmentSize) else {
            throw FleetError(
                .corrupted, "\(path) is not a whole WAL segment",
                cause: "it has \(content.count) bytes instead of \(header.segmentSize)")
        }
        systemIdentifier = header.systemIdentifier
        segmentSize = header.segmentSize
    }
}

/// The data directory around a WAL file, by its path alone: `pg_wal` may be a link to elsewhere.
struct DataDirectory: Sendable {
    let path: String

    init(ofWALFile path: String) {
        self.path = parentPath(of: parentPath(of: path))
    }

    /// What pg_control says; nil when it cannot be read, or is being written.
    var control: ControlFile? {
        for _ in 0..<3 {
            guard let bytes = try? BlockingDisk.read("\(path)/global/pg_control", limit: 65_536) else { return nil }
            if let control = try? ControlFile(bytes) { return control }
        }
        return nil
    }
}
