import FleetPluginAPI

/// What version of `docs/repository-format.md` this engine reads and writes.
enum RepositoryFormat {
    static let version = 1

    /// - Throws: `unsupported` for a version that this engine does not know.
    static func check(_ found: Int, _ subject: String) throws(FleetError) {
        guard found == version else {
            throw FleetError(
                .unsupported, "\(subject) is in repository format \(found)",
                cause: "this version of fleet reads format \(version)", hint: "use a newer fleet")
        }
    }
}

/// `fleet-repository.json`: that a place is a repository, and which.
struct RepositoryMarker: Hashable, Sendable, Codable {
    var format = RepositoryFormat.version
    /// Given once, at random.
    var repository: String
    var encryption = RepositoryEncryption()
    var createdAt: Timestamp

    static let key = "fleet-repository.json"

    func check(_ name: String) throws(FleetError) {
        try RepositoryFormat.check(format, "the repository \(name)")
    }
}

/// `instance.json`: whose backups and WAL these are.
struct InstanceRecord: Hashable, Sendable, Codable {
    var format = RepositoryFormat.version
    var instance: String
    /// Oldest first; the last one is the present one.
    var systems: [System]

    struct System: Hashable, Sendable, Codable {
        var identifier: SystemIdentifier
        var admittedAt: Timestamp
    }

    var current: SystemIdentifier? { systems.last?.identifier }

    func knows(_ identifier: SystemIdentifier) -> Bool {
        systems.contains { $0.identifier == identifier }
    }
}

/// `backup.json`: that a backup is whole. Written last.
struct BackupDocument: Hashable, Sendable, Codable {
    var format = RepositoryFormat.version
    /// What the backup was asked for under: a second request with the key is answered with this one.
    var key: String
    var record: BackupRecord
    var manifest: StoredHash
    var statistics: Statistics

    struct StoredHash: Hashable, Sendable, Codable {
        /// Bytes of the object, and their SHA-256.
        var size: Int64
        var sha256: ContentHash
    }

    struct Statistics: Hashable, Sendable, Codable {
        var files: Int
        var chunks: Int
        var packs: Int
        /// Chunks that were in the repository already.
        var reusedChunks: Int
    }
}

/// `started.json`: that a backup is being written, and which older ones it builds upon. Put again from time to time;
/// its age says whether the writer lives.
struct BackupClaim: Hashable, Sendable, Codable {
    var format = RepositoryFormat.version
    var key: String
    var label: String
    var startedAt: Timestamp
    var host: String
    /// Labels of backups whose packs it refers to.
    var parents: [String]

    /// A claim that has not been put again for so long is dead: its backup can no longer be published.
    static let lifetime = Duration.seconds(86_400)
    /// A writer that could not put its claim again for so long gives up.
    static let grace = Duration.seconds(43_200)
    static let refresh = Duration.seconds(600)
    /// A writer that has not put its claim again for so long has died, as far as others who would go on with its work
    /// are concerned.
    static let silence = refresh * 2
}
