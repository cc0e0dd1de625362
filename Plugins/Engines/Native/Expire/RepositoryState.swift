import FleetPluginAPI

/// What an expiry must know of an instance's backups before it removes anything.
struct RepositoryState: Sendable {
    struct Published: Sendable {
        var record: BackupRecord
        /// Nil when it cannot be read.
        var packs: [PackEntry]?
        var segmentSize: UInt64?
        /// Its manifest can be read and every pack is there at its size.
        var isGood: Bool
        /// Something keeps it, whatever retention says.
        var isHeld = false
    }

    /// Oldest first.
    private(set) var published: [Published] = []
    /// Of backups that are being written, by label.
    private(set) var claims: [String: BackupClaim] = [:]
    /// Labels without a published backup, with no live claim, and old.
    private(set) var orphans: [String] = []
    /// Labels of published backups whose removal was begun and given up more than a day ago.
    private(set) var staleTombstones: [String] = []
    private(set) var remarks: [String] = []
    /// Bytes of each backup.json.
    private(set) var documentSizes: [String: Int64] = [:]
    private var hasUnreadableDocument = false
    private var now: Timestamp

    private init(now: Timestamp) {
        self.now = now
    }

    static func read(_ instance: InstanceRepository, now: Timestamp) async throws -> RepositoryState {
        var state = RepositoryState(now: now)
        // Claims first: what is published afterwards is seen as published or as claimed, or as both.
        state.claims = try await liveClaims(instance, now: now)
        let objects = try await instance.storage.listAll(instance.keys.backups)
        let packSizes = try await instance.packSizes()
        let byLabel = Dictionary(
            grouping: objects.compactMap { object in
                instance.keys.backupObject(object.key).map { (label: $0.label, name: $0.name, object: object) }
            }, by: \.label)
        for label in byLabel.keys.sorted() {
            let found = byLabel[label] ?? []
            if let document = found.first(where: { $0.name == "backup.json" }) {
                state.documentSizes[label] = document.object.size
                try await state.addPublished(
                    label, instance, packSizes, isDamaged: found.contains { $0.name == "damaged.json" })
                let tombstone = found.first { $0.name == "expiring.json" }
                if let tombstone, now - tombstone.object.modified > BackupClaim.lifetime {
                    state.staleTombstones.append(label)
                }
            } else if let newest = found.map(\.object.modified).max(), state.claims[label] == nil,
                !state.claims.values.contains(where: { $0.parents.contains(label) }),
                now - newest > BackupClaim.lifetime || found.contains(where: { $0.name == "expiring.json" })
            {
                state.orphans.append(label)
            }
        }
        for index in state.published.indices {
            let label = state.published[index].record.label
            guard byLabel[label]?.contains(where: { $0.name == "hold.json" }) == true else { continue }
            let (isHeld, damage) = try await instance.isHeld(label, at: now)
            state.published[index].isHeld = isHeld
            if let damage { state.remarks.append("\(label) stays: its hold cannot be read: \(damage)") }
        }
        state.published.sort { ($0.record.stopTime, $0.record.label) < ($1.record.stopTime, $1.record.label) }
        return state
    }

    private mutating func addPublished(
        _ label: String, _ instance: InstanceRepository, _ packSizes: [String: Int64], isDamaged: Bool
    ) async throws {
        let document: BackupDocument
        switch try await Outcome({ try await instance.document(label) }) {
        case .success(.some(let found)): document = found
        case .success(nil): return
        case .failure(let error):
            hasUnreadableDocument = true
            remarks.append("\(label) was left alone: \(error)")
            return
        }
        switch try await Outcome({ try await instance.manifest(document) }) {
        case .success(let manifest):
            let missing = manifest.packs.firstMissing(from: packSizes)
            if let missing { remarks.append("\(label) is damaged: the pack \(missing.id) is missing or cut short") }
            published.append(
                Published(
                    record: document.record, packs: manifest.packs, segmentSize: manifest.header.segmentSize,
                    isGood: missing == nil && !isDamaged))
        case .failure(let error):
            remarks.append("\(label) is damaged: \(error)")
            published.append(Published(record: document.record, isGood: false))
        }
    }

    mutating func forget(_ label: String) {
        published.removeAll { $0.record.label == label }
    }

    /// Ids of packs that published backups need; nil when that cannot be known.
    var referencedPacks: Set<String>? {
        guard !hasUnreadableDocument, published.allSatisfy({ $0.packs != nil }) else { return nil }
        return Set(published.flatMap { $0.packs ?? [] }.map(\.id))
    }

    /// Whether an object of a backup that is not published can be left behind by a crash only.
    func isAbandoned(_ label: String, _ modified: Timestamp) -> Bool {
        claims[label] == nil && !claims.values.contains { $0.parents.contains(label) }
            && now - modified > BackupClaim.lifetime
            && !published.contains { $0.record.label == label }
    }

    /// Claims of backups that may still be published.
    static func liveClaims(_ instance: InstanceRepository, now: Timestamp) async throws -> [String: BackupClaim] {
        var claims: [String: BackupClaim] = [:]
        for object in try await instance.storage.listAll(instance.keys.backups) {
            guard let (label, name) = instance.keys.backupObject(object.key), name == "started.json",
                now - object.modified < BackupClaim.lifetime,
                let bytes = try await instance.storage.getIfPresent(object.key)
            else { continue }
            // A crash between publication and the removal of the claim.
            if try await instance.storage.head(instance.keys.document(label)) != nil { continue }
            claims[label] = try SealedJSON.decode(BackupClaim.self, bytes, object.key)
        }
        return claims
    }
}
