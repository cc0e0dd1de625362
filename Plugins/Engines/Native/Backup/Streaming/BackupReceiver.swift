import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// Takes a base backup as it arrives: archives become files, files become pieces of chunks, and the server's manifest
/// is kept.
struct BackupReceiver {
    private let meter: ProgressMeter
    private let chunks: ChunkReader?
    private var collector: FileCollector
    /// Of the archive that is coming in; nil between archives and in the manifest.
    private var reader: TarReader?
    private var reportsProgress = false

    /// - Parameters:
    ///   - chunks: those of the base, where the server sends changes to it only.
    init(base: BackupBase?, chunks: ChunkReader?, meter: ProgressMeter) {
        self.chunks = chunks
        collector = FileCollector(base: base, isIncremental: chunks != nil)
        self.meter = meter
    }

    mutating func take(_ event: BaseBackupEvent, _ writer: inout ChunkWriter) async throws {
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
            try await endArchive(&writer)
            collector.prefix = try Self.prefix(name)
            reader = TarReader()
        case .data(let bytes):
            try await add(bytes, &writer)
        case .manifest:
            try await endArchive(&writer)
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
    mutating func finish(_ writer: inout ChunkWriter) async throws -> ReceivedBackup {
        guard collector.received.stopLSN != .zero else {
            throw FleetError(.protocolViolation, "the server ended the backup without its end position")
        }
        collector.endMaps()
        if let batch = collector.takeBatch(always: true) { try await write(batch, &writer) }
        collector.received.add(try await writer.finish())
        collector.received.finish(writer)
        return collector.received
    }

    private mutating func add(_ bytes: [UInt8], _ writer: inout ChunkWriter) async throws {
        guard reader != nil else { return collector.received.serverManifest += bytes }
        if !reportsProgress { meter.add(Int64(bytes.count)) }
        try reader?.feed(bytes, &collector)
        if let batch = collector.takeBatch() { try await write(batch, &writer) }
    }

    private mutating func endArchive(_ writer: inout ChunkWriter) async throws {
        guard let reader else { return }
        try reader.finish()
        self.reader = nil
        if let batch = collector.takeBatch(always: true) { try await write(batch, &writer) }
    }

    private mutating func write(_ batch: [ChunkPiece], _ writer: inout ChunkWriter) async throws {
        guard let chunks else { return collector.received.add(try await writer.add(batch)) }
        collector.received.add(try await writer.add(reading: { try await ChunkPatch.resolve(batch, chunks) }))
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
