import FleetPluginAPI

/// What a repository holds for one instance.
struct InstanceRepository: Sendable {
    let repository: Repository
    let keys: InstanceKeys

    var storage: any Storage { repository.storage }

    /// `orders in the repository local`
    var subject: String { "\(keys.instance) in the repository \(repository.name)" }

    /// Whose backups and WAL these are; nil when there are none yet.
    func record() async throws -> InstanceRecord? {
        guard let bytes = try await storage.getIfPresent(keys.record) else { return nil }
        let record = try SealedJSON.decode(InstanceRecord.self, bytes, keys.record)
        try RepositoryFormat.check(record.format, keys.record)
        guard record.instance == keys.instance, !record.systems.isEmpty else {
            throw FleetError(.corrupted, "\(keys.record) is damaged", cause: "it belongs to \(record.instance)")
        }
        return record
    }

    /// Makes sure that the server with this identifier may write here. The first one that asks becomes the owner.
    ///
    /// - Throws: `refused` for any other.
    func admitWriter(_ identifier: SystemIdentifier) async throws {
        if let record = try await record() { return try check(identifier, record) }
        let record = InstanceRecord(
            instance: keys.instance, systems: [.init(identifier: identifier, admittedAt: .now)])
        do {
            try await storage.put(keys.record, SealedJSON.encode(record), condition: .absent)
        } catch let error as FleetError where error.code == .alreadyExists {
            guard let record = try await self.record() else { throw error }
            try check(identifier, record)
        }
    }

    private func check(_ identifier: SystemIdentifier, _ record: InstanceRecord) throws(FleetError) {
        guard !record.knows(identifier) else { return }
        let known = record.systems.map(\.identifier.description).joined(separator: ", ")
        throw FleetError(
            .refused, "the server with system identifier \(identifier) may not write to \(subject)",
            cause: "the repository belongs to \(known)",
            hint: "if the instance was made anew (initdb, pg_upgrade), admit it: "
                + "fleet agent admit --instance \(keys.instance) \(identifier)")
    }

    /// Lets a further server write here, because somebody said so. Done as well when it may already.
    func admit(_ identifier: SystemIdentifier) async throws {
        guard var record = try await record() else { return try await admitWriter(identifier) }
        guard record.current != identifier else { return }
        record.systems.removeAll { $0.identifier == identifier }
        record.systems.append(.init(identifier: identifier, admittedAt: .now))
        try await storage.put(keys.record, SealedJSON.encode(record), condition: .any)
    }

    /// Names of the objects of every label: `backup.json`, `started.json`, ….
    func backupObjects() async throws -> [String: Set<String>] {
        let objects = try await storage.listAll(keys.backups)
        return Dictionary(grouping: objects.compactMap { keys.backupObject($0.key) }, by: \.label)
            .mapValues { Set($0.map(\.name)) }
    }

    /// Bytes of each pack that is there, by its id.
    ///
    /// - Parameter label: only those that this backup wrote.
    func packSizes(of label: String? = nil) async throws -> [String: Int64] {
        let objects = try await storage.listAll(label.map(keys.packs) ?? keys.packs)
        return Dictionary(
            objects.compactMap { object in keys.packID(object.key).map { ($0, object.size) } }, uniquingKeysWith: { $1 }
        )
    }

    /// Bytes of each of these packs that is there, by its id, and of others that the same backups wrote.
    func packSizes(beside packs: [PackEntry]) async throws -> [String: Int64] {
        var sizes: [String: Int64] = [:]
        for label in Set(packs.map(\.label)) { sizes.merge(try await packSizes(of: label)) { $1 } }
        return sizes
    }

    /// Labels of the published backups that are meant, oldest first: these, or all where none is named.
    ///
    /// - Throws: `notFound` for one that is not there.
    func labels(_ asked: [String]) async throws -> [String] {
        let published = try await publishedLabels()
        for label in asked where !published.contains(label) {
            throw FleetError(.notFound, "there is no backup \(label) of \(subject)")
        }
        return asked.isEmpty ? published : asked.sorted()
    }

    /// A published backup's document; nil when there is no such backup.
    func document(_ label: String) async throws -> BackupDocument? {
        guard let bytes = try await storage.getIfPresent(keys.document(label)) else { return nil }
        let key = keys.document(label)
        var document = try SealedJSON.decode(BackupDocument.self, bytes, key)
        try RepositoryFormat.check(document.format, key)
        guard document.record.label == label else {
            throw FleetError(.corrupted, "\(key) is damaged", cause: "it describes \(document.record.label)")
        }
        // Names in fleet.yaml may have changed since.
        document.record.repository = repository.name
        return document
    }

    /// A published backup; nil when there is no such one.
    ///
    /// - Throws: `corrupted`, also when its manifest is missing.
    func backup(_ label: String) async throws -> (document: BackupDocument, manifest: Manifest)? {
        guard let document = try await document(label) else { return nil }
        return (document, try await manifest(document))
    }

    /// A published backup's manifest, checked against its document.
    ///
    /// - Throws: `corrupted`, also when it is missing.
    func manifest(_ document: BackupDocument) async throws -> Manifest {
        let label = document.record.label
        let key = keys.manifest(label)
        guard let bytes = try await storage.getIfPresent(key) else {
            throw FleetError(.corrupted, "the backup \(label) has lost its manifest", cause: "\(key) is missing")
        }
        return try await Workers.run { [instance = keys.instance] in
            guard ContentHash(of: bytes) == document.manifest.sha256 else {
                throw FleetError(.corrupted, "\(key) is damaged", cause: "its SHA-256 differs")
            }
            let manifest = try Manifest(decoding: bytes, key)
            guard manifest.header.label == label, manifest.header.instance == instance else {
                throw FleetError(
                    .corrupted, "\(key) is damaged",
                    cause: "it describes \(manifest.header.label) of \(manifest.header.instance)")
            }
            return manifest
        }
    }
}
