import FleetPluginAPI
import PostgresFormats

/// Reads one server's archived files.
struct ArchiveReader: Sendable {
    let instance: InstanceRepository
    let system: SystemIdentifier

    private var storage: any Storage { instance.storage }
    private var keys: InstanceKeys { instance.keys }

    /// An archived file, decompressed and checked; nil when the archive does not have it.
    ///
    /// - Throws: `corrupted`; `unavailable` also when the repository vanished meanwhile.
    func content(_ file: WALFileName) async throws -> [UInt8]? {
        try await read(file)?.content
    }

    func read(_ file: WALFileName) async throws -> (header: WALObjectHeader, content: [UInt8])? {
        guard let (key, bytes) = try await fetch(file) else { return nil }
        return try await Workers.run {
            let header = try WALObject.header(bytes, key)
            try check(header, file, key)
            return (header, try WALObject.content(bytes, header, key))
        }
    }

    /// An archived file as it is stored, its compressed content checked; nil when the archive does not have it.
    ///
    /// - Throws: as `content`.
    func object(_ file: WALFileName) async throws -> ArchivedObject? {
        guard let (key, bytes) = try await fetch(file) else { return nil }
        return try await Workers.run {
            let header = try WALObject.check(bytes, key)
            try check(header, file, key)
            return ArchivedObject(key: key, header: header, bytes: bytes)
        }
    }

    private func fetch(_ file: WALFileName) async throws -> (key: String, bytes: [UInt8])? {
        let key = keys.wal(file, system)
        if let bytes = try await storage.getIfPresent(key) { return (key, bytes) }
        // "Not in the archive" may end a recovery: say it only while the archive is certainly there.
        try await instance.repository.checkPresence()
        guard try await instance.record() != nil else { throw absence }
        return nil
    }

    /// What the front of an archived file says.
    ///
    /// - Throws: `notFound`, `corrupted`.
    func header(_ file: WALFileName) async throws -> WALObjectHeader {
        let key = keys.wal(file, system)
        var bytes = try await storage.get(key, range: 0..<WALObject.probeSize)
        if let size = try WALObject.headerSize(bytes, key), size > bytes.count {
            bytes = try await storage.get(key, range: 0..<Int64(size))
        }
        let header = try WALObject.header(bytes, key)
        try check(header, file, key)
        return header
    }

    /// A timeline's history; nil when it is not in the archive.
    func history(_ timeline: TimelineID) async throws -> TimelineHistory? {
        guard let file = WALFileName(TimelineHistory.fileName(of: timeline)) else { return nil }
        guard let content = try await content(file) else { return nil }
        return try TimelineHistory(file: content, timeline: timeline)
    }

    private func check(_ header: WALObjectHeader, _ file: WALFileName, _ key: String) throws {
        guard header.name == file.text, header.systemIdentifier == system else {
            throw FleetError(
                .corrupted, "\(key) is not what its name says",
                cause: "it is \(header.name) of the system \(header.systemIdentifier)")
        }
    }

    private var absence: FleetError {
        FleetError(
            .unavailable, "there is nothing of \(instance.subject)", cause: "\(keys.record) is missing",
            hint: "check that the right place is mounted, and that the instance has its backups there")
    }
}

/// An archived file that has been fetched and whose compressed content is whole.
struct ArchivedObject: Sendable {
    let key: String
    let header: WALObjectHeader
    let bytes: [UInt8]

    /// Puts the file where PostgreSQL waits for it, holding no more of it in memory than is stored. Blocks.
    ///
    /// - Throws: `corrupted` when it cannot be decompressed, else what was wrong with the place.
    func write(to path: String) throws {
        try RestoredFile.write(to: path) { put in
            try WALObject.decompress(bytes, header, key, put)
        }
    }
}

extension InstanceRepository {
    /// The archive of a server.
    ///
    /// - Parameter system: The server's identifier where something beside it says so; nil for the present one.
    /// - Throws: `unavailable` when the repository knows nothing of the instance, `refused` when another server asks.
    func archive(_ system: SystemIdentifier?) async throws -> ArchiveReader {
        guard let record = try await record(), let current = record.current else {
            throw FleetError(
                .unavailable, "there is nothing of \(subject)", cause: "\(keys.record) is missing",
                hint: "check that the right place is mounted, and that the instance has its backups there")
        }
        if let system, !record.knows(system) {
            throw FleetError(
                .refused, "the server with system identifier \(system) has no archive for \(subject)",
                cause:
                    "the repository belongs to \(record.systems.map(\.identifier.description).joined(separator: ", "))")
        }
        return ArchiveReader(instance: self, system: system ?? current)
    }
}
