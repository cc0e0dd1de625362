import FleetPluginAPI

/// The published backup that a differential or an incremental one builds upon: a chunk whose content is the base's at
/// the same place of the same file is referred to and not stored again.
struct BackupBase: Sendable {
    let record: BackupRecord
    let manifest: Manifest
    private let files: [String: Int]

    init(record: BackupRecord, manifest: Manifest) {
        self.record = record
        self.manifest = manifest
        files = Dictionary(
            manifest.files.enumerated().map { ($0.element.path, $0.offset) }, uniquingKeysWith: { $1 })
    }

    /// Labels of all backups whose packs it refers to, its own among them; sorted.
    var labels: [String] { Set(manifest.packs.map(\.label) + [record.label]).sorted() }

    /// The chunks of one of its files; empty for a file that it does not have.
    func chunks(of path: String) -> ArraySlice<ChunkReference> { manifest.chunks[file(path)?.chunks ?? 0..<0] }

    /// Whether the checksum of each of its chunks is known, so that they can be taken over without being read.
    var knowsChecksums: Bool { manifest.files.allSatisfy { $0.chunks.isEmpty || $0.chunkChecksums != nil } }

    func file(_ path: String) -> Manifest.File? { files[path].map { manifest.files[$0] } }

    /// The newest backup of the server that a new one of this kind can build upon: for a differential one a full, for
    /// an incremental one any. Damaged ones are passed over; nil when there is none.
    static func newest(
        for kind: BackupRecord.Kind, of system: SystemIdentifier, in instance: InstanceRepository,
        log: (String) -> Void
    ) async throws -> BackupBase? {
        guard kind != .full else { return nil }
        let labels = try await instance.backupObjects().filter {
            $0.value.contains("backup.json") && $0.value.isDisjoint(with: ["expiring.json", "damaged.json"])
        }.keys
        let documents = try await concurrently(labels.sorted()) { label in
            try await Outcome { try await instance.document(label) }
        }
        let candidates = documents.compactMap { outcome -> BackupDocument? in
            // What is damaged is named by whoever lists backups.
            guard case .success(let document?) = outcome, document.record.systemIdentifier == system else { return nil }
            return kind == .incr || document.record.kind == .full ? document : nil
        }
        for document in candidates.sorted(by: { $0.record.stopTime > $1.record.stopTime }) {
            let found = try await Outcome {
                let manifest = try await instance.manifest(document)
                try await checkPacks(manifest.packs, in: instance)
                return BackupBase(record: document.record, manifest: manifest)
            }
            switch found {
            case .success(let base): return base
            case .failure(let error): log("\(document.record.label) is passed over: \(error)")
            }
        }
        return nil
    }

    /// Whether it is still published and nobody is about to remove it. Asked once the new backup's claim names it:
    /// whoever removes it afterwards sees the claim.
    func isStillThere(in instance: InstanceRepository) async throws -> Bool {
        let names = try await instance.storage.listAll(instance.keys.backup(record.label))
            .compactMap { instance.keys.backupObject($0.key)?.name }
        return names.contains("backup.json") && !names.contains("expiring.json")
    }

    /// - Throws: `corrupted` when one is missing or has another size.
    private static func checkPacks(_ packs: [PackEntry], in instance: InstanceRepository) async throws {
        if let damaged = packs.firstMissing(from: try await instance.packSizes(beside: packs)) {
            throw FleetError(.corrupted, "the pack \(damaged.id) is missing or cut short")
        }
    }
}
