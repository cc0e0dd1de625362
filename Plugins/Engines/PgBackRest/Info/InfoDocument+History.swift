import FleetPluginAPI

extension InfoDocument {
    /// A server that the stanza has served: a new one begins with each stanza-upgrade.
    struct Database: Decodable, Hashable, Sendable {
        var id: Int
        var repositoryKey: Int
        var systemIdentifier: SystemIdentifier
        /// `15`, `9.6`.
        var version: String

        private enum CodingKeys: String, CodingKey {
            case id, version
            case repositoryKey = "repo-key"
            case systemIdentifier = "system-id"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(Int.self, forKey: .id)
            repositoryKey = try container.decodeIfPresent(Int.self, forKey: .repositoryKey) ?? 1
            // 64 bits without a sign: no other type of number holds it.
            systemIdentifier = SystemIdentifier(rawValue: try container.decode(UInt64.self, forKey: .systemIdentifier))
            version = try container.decodeIfPresent(String.self, forKey: .version) ?? ""
        }

        /// `server_version_num` as far as it is known: 150000.
        var serverVersion: Int {
            let parts = version.split(separator: ".").compactMap { Int($0) }
            guard let major = parts.first else { return 0 }
            return major >= 10 ? major * 10_000 : major * 10_000 + (parts.count > 1 ? parts[1] * 100 : 0)
        }

        /// The folder of its WAL in `archive/STANZA`.
        var archiveID: String { "\(version)-\(id)" }
    }

    /// Which of a stanza's servers something belongs to.
    struct DatabaseReference: Decodable, Hashable, Sendable {
        var id: Int
        var repositoryKey: Int

        private enum CodingKeys: String, CodingKey {
            case id
            case repositoryKey = "repo-key"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(Int.self, forKey: .id)
            repositoryKey = try container.decodeIfPresent(Int.self, forKey: .repositoryKey) ?? 1
        }
    }

    /// The first and the last archived segment of one server; both nil while nothing is archived. Says nothing of
    /// what lies between them.
    struct Archive: Decodable, Hashable, Sendable {
        /// `15-1`
        var id: String
        var min: String?
        var max: String?
        var database: DatabaseReference?
    }

    struct Backup: Decodable, Sendable {
        var label: String
        var kind: BackupRecord.Kind
        var prior: String?
        var reference: [String]?
        var timestamp: Span<Int64>
        /// Nil for backups of old versions, and for those of a stopped server.
        var lsn: Span<String>?
        var archive: Span<String>?
        var database: DatabaseReference
        /// Pages whose checksums did not fit were found while it was made.
        var error: Bool?
        var info: Sizes?
        var annotation: [String: String]?
        /// With `--set` only.
        var tablespaces: [Tablespace]?

        private enum CodingKeys: String, CodingKey {
            case label, prior, reference, timestamp, lsn, archive, database, error, info, annotation
            case kind = "type"
            case tablespaces = "tablespace"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            label = try container.decode(String.self, forKey: .label)
            kind = try container.decode(BackupRecord.Kind.self, forKey: .kind)
            prior = try container.decodeIfPresent(String.self, forKey: .prior)
            reference = try container.decodeIfPresent([String].self, forKey: .reference)
            timestamp = try container.decode(Span<Int64>.self, forKey: .timestamp)
            lsn = try? container.decodeIfPresent(Span<String>.self, forKey: .lsn)
            archive = try? container.decodeIfPresent(Span<String>.self, forKey: .archive)
            database = try container.decode(DatabaseReference.self, forKey: .database)
            error = try? container.decodeIfPresent(Bool.self, forKey: .error)
            info = try? container.decodeIfPresent(Sizes.self, forKey: .info)
            annotation = try? container.decodeIfPresent([String: String].self, forKey: .annotation)
            tablespaces = try? container.decodeIfPresent([Tablespace].self, forKey: .tablespaces)
        }
    }

    struct Span<Value: Decodable & Hashable & Sendable>: Decodable, Hashable, Sendable {
        var start: Value
        var stop: Value
    }

    struct Sizes: Decodable, Hashable, Sendable {
        /// Bytes of the data directory and tablespaces.
        var size: Int64
        /// Bytes of it that this backup read.
        var delta: Int64?
        var repository: Stored?

        struct Stored: Decodable, Hashable, Sendable {
            /// Bytes in the repository of all that it needs; nil where files are stored as blocks.
            var size: Int64?
            /// Bytes that it added.
            var delta: Int64?
        }
    }

    struct Tablespace: Decodable, Hashable, Sendable {
        var name: String?
        var oid: UInt32
        var destination: String
    }
}
