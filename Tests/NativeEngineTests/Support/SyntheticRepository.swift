import FleetPluginAPI
import PostgresFormats

@testable import NativeEngine

/// A repository put together by hand: backups of one pack each, and WAL segments of 1 MiB.
struct SyntheticRepository {
    let storage = MemoryStorage()
    let instance: InstanceRepository

    init(encrypted: Bool = false) async throws {
        let repository = EngineContext.Repository(
            name: "local", storage: storage, secret: encrypted ? TestPassphrase.secret : nil)
        instance = try await Repository.openOrCreate(repository, TestPassphrase.resolve).instance("orders")
        try await instance.admitWriter(Segments.system)
    }

    /// A published backup from the middle of one segment to the middle of another.
    ///
    /// - Parameter references: labels of published backups whose packs it uses as well.
    func publish(
        _ label: String, kind: BackupRecord.Kind = .full, timeline: TimelineID = 1, references: [String] = [],
        _ start: UInt64, _ stop: UInt64
    ) async throws {
        var builder = PackBuilder(id: "\(label)/00000000")
        let content = Array(label.utf8)
        let hash = ContentHash(of: content)
        let frame = try Zstd.compress(content, level: 1)
        let offset = builder.append(frame, rawLength: content.count, hash: hash)
        let (bytes, entry) = builder.seal()
        try await instance.storage.put(instance.keys.pack(entry.id), bytes, condition: .absent)
        var manifest = Manifest(
            header: .init(
                instance: "orders", label: label, systemIdentifier: Segments.system, serverVersion: 150_000,
                segmentSize: Segments.size, tablespaces: []))
        manifest.packs = [entry]
        for other in references {
            guard let document = try await instance.document(other) else { throw FleetError(.usage, other) }
            let base = try await instance.manifest(document)
            manifest.packs += base.packs.filter { $0.label == other }
        }
        manifest.chunks = [
            ChunkReference(
                pack: 0, offset: offset, storedLength: UInt32(frame.count), rawLength: UInt32(content.count), hash: hash
            )
        ]
        manifest.files = [
            .init(
                path: "file", size: Int64(content.count), mode: 0o600, modified: 0, crc32c: CRC32C.checksum(content),
                chunks: 0..<1)
        ]
        let encoded = try manifest.encoded()
        try await instance.storage.put(instance.keys.manifest(label), encoded, condition: .absent)
        let time = Timestamp(microseconds: Int64(stop) * 60_000_000 + Int64(timeline))
        let record = BackupRecord(
            label: label, kind: kind, engine: "native", repository: "local", systemIdentifier: Segments.system,
            serverVersion: 150_000, timeline: timeline, startLSN: Segments.name(start).start + 40,
            stopLSN: Segments.name(stop).start + 500, startTime: time, stopTime: time, size: 1, storedSize: 1,
            references: references)
        let document = BackupDocument(
            key: label, record: record,
            manifest: .init(size: Int64(encoded.count), sha256: ContentHash(of: encoded)),
            statistics: .init(files: 1, chunks: 1, packs: 1, reusedChunks: 0))
        try await instance.storage.put(instance.keys.document(label), SealedJSON.encode(document), condition: .absent)
    }

    func archive(_ numbers: ClosedRange<UInt64>, timeline: TimelineID = 1) async throws {
        for number in numbers {
            let name = Segments.name(number, timeline: timeline)
            try await archive(name.description, [1], .segment)
        }
    }

    /// With the content of a real one.
    func archiveWhole(_ number: UInt64) async throws {
        let name = Segments.name(number)
        try await archive(name.description, Segments.bytes(name, filler: UInt8(number)), .segment)
    }

    func archiveHistory(_ timeline: TimelineID, _ text: String) async throws {
        try await archive(TimelineHistory.fileName(of: timeline), Array(text.utf8), .history)
    }

    private func archive(_ name: String, _ content: [UInt8], _ kind: WALFileName.Kind) async throws {
        guard let file = WALFileName(name) else { throw FleetError(.usage, name) }
        let header = WALObjectHeader(
            name: name, kind: kind, systemIdentifier: Segments.system, size: Int64(content.count),
            sha256: ContentHash(of: content), segmentSize: kind == .history ? nil : Segments.size, archivedAt: .now)
        try await instance.storage.put(
            instance.keys.wal(file, Segments.system), WALObject.encode(header, content, level: 1), condition: .absent)
    }

    func claim(_ label: String, parents: [String] = []) async throws {
        let claim = BackupClaim(key: label, label: label, startedAt: .now, host: "here", parents: parents)
        try await instance.storage.put(instance.keys.claim(label), SealedJSON.encode(claim), condition: .absent)
    }

    func expire(keep: Int, keepDiff: Int? = nil, dryRun: Bool = false) async throws -> ExpireReport {
        let request = ExpireRequest(
            key: "e", repository: "local", retention: Retention(full: keep, diff: keepDiff), isDryRun: dryRun)
        return try await ExpireTask(instance: instance, request: request, now: .now, log: { _ in }).expire()
    }

    var backups: [String] {
        storage.keys.compactMap { instance.keys.backupObject($0) }.filter { $0.name == "backup.json" }.map(\.label)
    }

    /// Numbers of the archived segments of a timeline.
    func segments(_ timeline: TimelineID = 1) -> [UInt64] {
        storage.keys.compactMap { instance.keys.walFile($0, Segments.system)?.segment(ofSize: Segments.size) }
            .filter { $0.timeline == timeline }.map(\.number).sorted()
    }
}
