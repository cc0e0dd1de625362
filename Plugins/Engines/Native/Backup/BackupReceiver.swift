import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// Takes a base backup as it arrives: archives become files, files become pieces of chunks, and the server's manifest
/// is kept.
struct BackupReceiver {
    private var writer: ChunkWriter
    private let meter: ProgressMeter
    private var collector: FileCollector
    /// Of the archive that is coming in; nil between archives and in the manifest.
    private var reader: TarReader?
    private var reportsProgress = false

    init(writer: ChunkWriter, base: BackupBase?, meter: ProgressMeter) {
        self.writer = writer
        collector = FileCollector(base: base)
        self.meter = meter
    }

    mutating func take(_ event: BaseBackupEvent) async throws {
        switch event {
        case .started(let lsn, let timeline):
            collector.received.startLSN = lsn
            collector.received.timeline = timeline
        case .tablespaces(let list):
            collector.received.tablespaces = list.compactMap { tablespace in
                tablespace.oid.map { BackupRecord.Tablespace(oid: $0, path: tablespace.path ?? "") }
            }
            let sizes = list.compactMap(\.sizeKiB)
            meter.begin("copy", total: sizes.isEmpty ? nil : sizes.reduce(0, +) * 1024)
        case .archive(let name, _):
            try await endArchive()
            collector.prefix = try Self.prefix(name)
            reader = TarReader()
        case .data(let bytes):
            try await add(bytes)
        case .manifest:
            try await endArchive()
        case .progress(let bytes):
            reportsProgress = true
            meter.set(bytes)
        case .finished(let lsn, let timeline):
            guard timeline == collector.received.timeline else {
                throw FleetError(.failed, "the server came to timeline \(timeline) during the backup")
            }
            collector.received.stopLSN = lsn
            collector.received.stopTime = .now
        }
    }

    /// Waits until everything is stored. Call it after the last event.
    mutating func finish() async throws -> ReceivedBackup {
        guard collector.received.stopLSN != .zero else {
            throw FleetError(.protocolViolation, "the server ended the backup without its end position")
        }
        record(try await writer.finish())
        var received = collector.received
        received.packs = writer.packs
        received.reusedChunks = writer.reused
        received.dropUnusedPacks()
        return received
    }

    mutating func abandon() async {
        await writer.abandon()
    }

    private mutating func add(_ bytes: [UInt8]) async throws {
        guard reader != nil else { return collector.received.serverManifest += bytes }
        if !reportsProgress { meter.add(Int64(bytes.count)) }
        try reader?.feed(bytes, &collector)
        if let batch = collector.takeBatch() { record(try await writer.add(batch)) }
    }

    private mutating func endArchive() async throws {
        guard let reader else { return }
        try reader.finish()
        self.reader = nil
        if let batch = collector.takeBatch(always: true) { record(try await writer.add(batch)) }
    }

    private mutating func record(_ chunks: [StoredChunk]) {
        // They come in the order of the files and of their content.
        for chunk in chunks {
            collector.received.add(chunk)
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

    fileprivate mutating func add(_ chunk: StoredChunk) {
        let range = files[chunk.file].chunks
        chunks.append(chunk.reference)
        files[chunk.file].chunks = (range.isEmpty ? chunks.count - 1 : range.lowerBound)..<chunks.count
    }

    /// Packs of the base that nothing is taken from any more are free to be removed with it.
    fileprivate mutating func dropUnusedPacks() {
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
