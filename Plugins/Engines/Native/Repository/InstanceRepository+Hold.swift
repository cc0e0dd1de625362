import FleetPluginAPI

extension InstanceRepository {
    /// What keeps a backup beyond retention; nil when nothing does. Its time may be over.
    ///
    /// - Throws: `corrupted`.
    func hold(on label: String) async throws -> BackupHold? {
        guard let bytes = try await storage.getIfPresent(keys.hold(label)) else { return nil }
        return try SealedJSON.decode(HoldDocument.self, bytes, keys.hold(label)).hold
    }

    /// Whether a hold is in force; one that is damaged is.
    func isHeld(_ label: String, at time: Timestamp) async throws -> (isHeld: Bool, damage: FleetError?) {
        switch try await Outcome({ try await hold(on: label) }) {
        case .success(let hold): (hold?.isInForce(at: time) ?? false, nil)
        case .failure(let damage): (true, damage)
        }
    }

    /// Keeps a backup; a hold that is there already is replaced.
    ///
    /// The hold is written first and the backup is looked at after it; an expiry writes its tombstone first and looks
    /// for holds after that. So at least one of the two sees the other.
    ///
    /// - Throws: `notFound`; `conflict` while an expiry removes it.
    func setHold(_ hold: BackupHold, on label: String) async throws {
        try await requireBackup(label)
        try await storage.put(keys.hold(label), SealedJSON.encode(HoldDocument(hold: hold)), condition: .any)
        let names = try await backupObjects()[label] ?? []
        guard names.contains("backup.json"), !names.contains("expiring.json") else {
            try await storage.delete(keys.hold(label))
            throw FleetError(.conflict, "the backup \(label) is being removed at this moment")
        }
    }

    func releaseHold(on label: String) async throws {
        try await requireBackup(label)
        guard try await storage.head(keys.hold(label)) != nil else {
            throw FleetError(.notFound, "the backup \(label) of \(subject) is not held")
        }
        try await storage.delete(keys.hold(label))
    }

    private func requireBackup(_ label: String) async throws {
        guard try await publishedLabels().contains(label) else {
            throw FleetError(
                .notFound, "there is no backup \(label) of \(subject)", hint: "see: fleet backups list \(keys.instance)"
            )
        }
    }

    /// Writes down that the WAL after a backup's end is about to be removed.
    func isolate(_ label: String, at time: Timestamp) async throws {
        do {
            try await storage.put(
                keys.isolation(label), SealedJSON.encode(["isolatedAt": time]), condition: .absent)
        } catch let error as FleetError where error.code == .alreadyExists {
            // Since an earlier expiry.
        }
    }
}

/// `hold.json`
struct HoldDocument: Hashable, Sendable, Codable {
    var format = RepositoryFormat.version
    var hold: BackupHold
}
