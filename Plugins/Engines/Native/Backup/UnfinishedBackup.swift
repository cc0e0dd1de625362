import FleetPluginAPI

/// What a backup that was never finished has stored: whoever backs up next refers to it and does not store it again.
struct UnfinishedBackup: Sendable {
    var label: String
    var packs: [PackEntry]
    /// With the place of the pack in `packs`.
    var chunks: [ChunkReference]

    /// What is older may be removed by an expiry at any moment.
    private static let youngest = BackupClaim.grace

    /// Those whose writer is certainly gone: it was an earlier attempt under the same key, it gave its claim back, or has
    /// not renewed it for long.
    static func all(
        for key: String, in instance: InstanceRepository, at now: Timestamp, log: (String) -> Void
    ) async throws -> [UnfinishedBackup] {
        let names = try await instance.backupObjects()
        let objects = Dictionary(
            grouping: try await instance.storage.listAll(instance.keys.packs).compactMap { object in
                instance.keys.packID(object.key).map { (id: $0, object: object) }
            }, by: { PackEntry.label(ofID: $0.id) })
        var found: [UnfinishedBackup] = []
        for (label, packs) in objects.sorted(by: { $0.key < $1.key }) {
            let names = names[label] ?? []
            guard names.isDisjoint(with: ["backup.json", "expiring.json"]),
                packs.allSatisfy({ now - $0.object.modified < youngest }),
                try await isLeft(label, key, names, instance, at: now)
            else { continue }
            let outcome = try await Outcome { try await read(label, packs.map { ($0.id, $0.object.size) }, instance) }
            switch outcome {
            case .success(let unfinished): found.append(unfinished)
            case .failure(let error): log("what \(label) left is of no use: \(error)")
            }
        }
        return found
    }

    private static func isLeft(
        _ label: String, _ key: String, _ names: Set<String>, _ instance: InstanceRepository, at now: Timestamp
    ) async throws -> Bool {
        guard names.contains("started.json") else { return true }
        guard let object = try await instance.storage.head(instance.keys.claim(label)) else { return true }
        if now - object.modified > BackupClaim.silence { return true }
        let claim = try await Outcome { try await instance.storage.getIfPresent(object.key) }
        guard case .success(.some(let bytes)) = claim else { return false }
        return (try? SealedJSON.decode(BackupClaim.self, bytes, object.key))?.key == key
    }

    private static func read(
        _ label: String, _ packs: [(id: String, size: Int64)], _ instance: InstanceRepository
    ) async throws -> UnfinishedBackup {
        let indexes = try await concurrently(packs) { pack in
            try await PackIndex.read(pack.id, size: pack.size, instance)
        }
        var unfinished = UnfinishedBackup(label: label, packs: [], chunks: [])
        for index in indexes {
            let number = UInt32(unfinished.packs.count)
            unfinished.packs.append(index.entry)
            unfinished.chunks += index.chunks.map { chunk in
                var chunk = chunk
                chunk.pack = number
                return chunk
            }
        }
        return unfinished
    }
}
