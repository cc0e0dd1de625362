import FleetPluginAPI
import PostgresFormats

/// Takes whole objects from other repositories of an instance.
struct ObjectMending: Sendable {
    let instance: InstanceRepository
    let others: [InstanceRepository]
    /// Look whether it could be done, write nothing.
    let isDryRun: Bool

    /// Whether another repository has the object, whole, and it is here now.
    ///
    /// - Parameter object: a key, or a label whose `backup.json` and manifest are meant.
    func mend(_ object: String) async throws -> Bool {
        for other in others {
            let outcome = try await Outcome { try await mend(object, from: other) }
            if case .success(true) = outcome { return true }
        }
        return false
    }

    private func mend(_ object: String, from other: InstanceRepository) async throws -> Bool {
        if let id = instance.keys.packID(object) {
            guard let bytes = try await other.storage.getIfPresent(other.keys.pack(id)) else { return false }
            let entry = try await Workers.run { try PackContents(bytes, id: id).entry }
            guard try await isExpected(entry) else { return false }
            return try await put(object, bytes)
        }
        if let (file, system) = instance.keys.archived(object) {
            guard let bytes = try await wal(file, system, of: other) else { return false }
            return try await put(object, bytes)
        }
        if object == instance.keys.record {
            guard let record = try await other.record() else { return false }
            return try await put(object, SealedJSON.encode(record))
        }
        guard !object.contains("/"), let document = try await other.document(object) else { return false }
        _ = try await other.manifest(document)
        guard let manifest = try await other.storage.getIfPresent(other.keys.manifest(object)) else { return false }
        _ = try await put(instance.keys.manifest(object), manifest)
        return try await put(instance.keys.document(object), SealedJSON.encode(document))
    }

    /// The same name alone does not make it the same pack.
    private func isExpected(_ entry: PackEntry) async throws -> Bool {
        for label in try await instance.publishedLabels() {
            let outcome = try await Outcome { try await instance.backup(label) }
            if case .success(.some(let backup)) = outcome, backup.manifest.packs.contains(entry) { return true }
        }
        return false
    }

    private func wal(
        _ file: WALFileName, _ system: SystemIdentifier, of other: InstanceRepository
    ) async throws -> [UInt8]? {
        let key = other.keys.wal(file, system)
        guard let bytes = try await other.storage.getIfPresent(key) else { return nil }
        let header = try await Workers.run { try WALObject.check(bytes, key) }
        return header.name == file.text && header.systemIdentifier == system ? bytes : nil
    }

    private func put(_ key: String, _ bytes: [UInt8]) async throws -> Bool {
        if !isDryRun { try await instance.storage.put(key, bytes, condition: .any) }
        return true
    }

    /// Brings archived files that others have and this one has not, from the start of the first backup on that WAL is kept
    /// for. Returns their keys.
    func fillArchive() async throws -> [String] {
        var filled: [String] = []
        var starts: [SystemIdentifier: LSN] = [:]
        for (label, names) in try await instance.backupObjects()
        where names.contains("backup.json") && !names.contains("isolated.json") {
            guard case .success(.some(let document)) = try await Outcome({ try await instance.document(label) }) else {
                continue
            }
            let record = document.record
            starts[record.systemIdentifier] = min(starts[record.systemIdentifier] ?? record.startLSN, record.startLSN)
        }
        for (system, start) in starts.sorted(by: { $0.value < $1.value }) {
            let segmentSize = try await instance.segmentSize(of: system)
            for other in others {
                let present = try await Set(instance.archivedFiles(of: system))
                for file in try await other.archivedFiles(of: system) where !present.contains(file) {
                    if let segment = file.segment(ofSize: segmentSize), segment.end <= start { continue }
                    let outcome = try await Outcome { try await wal(file, system, of: other) }
                    guard case .success(.some(let bytes)) = outcome else { continue }
                    let key = instance.keys.wal(file, system)
                    if try await put(key, bytes) { filled.append(key) }
                }
            }
        }
        return filled
    }
}
