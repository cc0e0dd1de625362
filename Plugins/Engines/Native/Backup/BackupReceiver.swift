import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// Takes a base backup as it arrives: archives become files, files become pieces of chunks, and the server's manifest
/// is kept.
struct BackupReceiver {
    private var writer: ChunkWriter
    private let meter: ProgressMeter
    private var received = ReceivedBackup()
    /// The archive that is coming in; nil between archives and in the manifest.
    private var archive: ArchiveReceiver?
    private var reportsProgress = false

    init(writer: ChunkWriter, meter: ProgressMeter) {
        self.writer = writer
        self.meter = meter
    }

    mutating func take(_ event: BaseBackupEvent) async throws {
        switch event {
        case .started(let lsn, let timeline):
            received.startLSN = lsn
            received.timeline = timeline
        case .tablespaces(let list):
            received.tablespaces = list.compactMap { tablespace in
                tablespace.oid.map { BackupRecord.Tablespace(oid: $0, path: tablespace.path ?? "") }
            }
            let sizes = list.compactMap(\.sizeKiB)
            meter.begin("copy", total: sizes.isEmpty ? nil : sizes.reduce(0, +) * 1024)
        case .archive(let name, _):
            try await endArchive()
            archive = ArchiveReceiver(prefix: try Self.prefix(name))
        case .data(let bytes):
            guard archive != nil else { return received.serverManifest += bytes }
            try await add(bytes)
        case .manifest:
            try await endArchive()
        case .progress(let bytes):
            reportsProgress = true
            meter.set(bytes)
        case .finished(let lsn, let timeline):
            guard timeline == received.timeline else {
                throw FleetError(
                    .failed, "the server changed from timeline \(received.timeline) to \(timeline) during the backup")
            }
            received.stopLSN = lsn
            received.stopTime = .now
        }
    }

    /// Waits until everything is stored. Call it after the last event.
    mutating func finish() async throws -> ReceivedBackup {
        guard received.stopLSN != .zero else {
            throw FleetError(.protocolViolation, "the server ended the backup without its end position")
        }
        record(try await writer.finish())
        received.packs = writer.packs
        received.reusedChunks = writer.reused
        try received.setSingleChunkHashes()
        return received
    }

    mutating func abandon() async {
        await writer.abandon()
    }

    private mutating func add(_ bytes: [UInt8]) async throws {
        if !reportsProgress { meter.add(Int64(bytes.count)) }
        try archive?.take(bytes, &received)
        if let batch = archive?.takeBatch(always: false) { record(try await writer.add(batch)) }
    }

    private mutating func endArchive() async throws {
        guard var archive else { return }
        try archive.end()
        if let batch = archive.takeBatch(always: true) { record(try await writer.add(batch)) }
        self.archive = nil
    }

    private mutating func record(_ chunks: [StoredChunk]) {
        // They come in the order of the files and of their content.
        for chunk in chunks {
            let end = received.chunks.count + 1
            let range = received.files[chunk.file].chunks
            received.files[chunk.file].chunks = (range.isEmpty ? end - 1 : range.lowerBound)..<end
            received.chunks.append(chunk.reference)
        }
    }

    /// Where the members of an archive belong, relative to the data directory.
    private static func prefix(_ name: String) throws -> String {
        if name == "base.tar" { return "" }
        guard name.hasSuffix(".tar"), let oid = UInt32(name.dropLast(4)) else {
            throw FleetError(.protocolViolation, "the server sent an archive called \(name)")
        }
        return "pg_tblspc/\(oid)/"
    }
}

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

    /// What a file is called whose digest is that of its only chunk.
    static let unhashed = ContentHash(bytes: [UInt8](repeating: 0, count: ContentHash.byteCount))

    fileprivate mutating func setSingleChunkHashes() throws {
        for index in files.indices where files[index].sha256 == Self.unhashed {
            let range = files[index].chunks
            guard range.count == 1 else {
                throw FleetError(.failed, "\(files[index].path) has \(range.count) chunks instead of one")
            }
            files[index].sha256 = chunks[range.lowerBound].hash
        }
    }
}
