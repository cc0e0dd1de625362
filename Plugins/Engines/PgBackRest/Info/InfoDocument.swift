import FleetPluginAPI
import FoundationEssentials

/// What `pgbackrest info --output=json` says, of every version from 2.33 to 2.60.
///
/// Members that are not known are ignored, and nearly all may be missing: versions differ, and a damaged part of the
/// answer costs itself only. Facts: pgBackRest's `src/command/info/info.c`.
struct InfoDocument: Sendable {
    var stanzas: [Stanza]

    /// - Throws: `protocolViolation` when it is no list of stanzas at all.
    init(_ bytes: [UInt8]) throws {
        do {
            stanzas = try JSONDecoder().decode([Tolerant<Stanza>].self, from: Data(bytes)).compactMap(\.value)
        } catch {
            throw FleetError(
                .protocolViolation, "pgbackrest info did not answer with a list of stanzas", cause: "\(error)",
                hint: "check `binary` of the engine: it must be pgBackRest 2.33 or later")
        }
    }

    func stanza(_ name: String) -> Stanza? {
        stanzas.first { $0.name == name }
    }
}

/// One of many: nil when it cannot be understood, and why.
struct Tolerant<Value: Decodable & Sendable>: Decodable, Sendable {
    var value: Value?
    var error: String?

    init(from decoder: any Decoder) throws {
        do {
            value = try Value(from: decoder)
        } catch {
            self.error = "\(error)"
        }
    }
}

extension InfoDocument {
    struct Stanza: Decodable, Sendable {
        var name: String
        var status: Status
        /// For each repository; one with the stanza's own status where the version tells of none.
        var repositories: [Repository]
        var databases: [Database]
        var archives: [Archive]
        var backups: [Backup]
        /// What could not be understood, in the decoder's words.
        var faults: [String]

        private enum CodingKeys: String, CodingKey { case name, status, cipher, repo, db, archive, backup }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            status = (try? container.decodeIfPresent(Status.self, forKey: .status)) ?? Status()
            var faults: [String] = []
            func list<Value: Decodable & Sendable>(_ type: Value.Type, _ key: CodingKeys) -> [Value] {
                let items = (try? container.decodeIfPresent([Tolerant<Value>].self, forKey: key)) ?? []
                faults += items.compactMap { item in item.error.map { "\(key.rawValue): \($0)" } }
                return items.compactMap(\.value)
            }
            repositories = list(Repository.self, .repo)
            databases = list(Database.self, .db)
            archives = list(Archive.self, .archive)
            backups = list(Backup.self, .backup)
            self.faults = faults
            if repositories.isEmpty {
                let cipher = try? container.decodeIfPresent(String.self, forKey: .cipher)
                repositories = [Repository(key: 1, cipher: cipher ?? nil, status: status)]
            }
        }
    }

    /// How a stanza stands, over all repositories or in one.
    struct Status: Decodable, Sendable {
        var code = 99
        var message = ""
        /// Somebody makes a backup or expires, on the host that was asked.
        var lock: Lock?

        init() {}

        private enum CodingKeys: String, CodingKey { case code, message, lock }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            code = try container.decode(Int.self, forKey: .code)
            message = try container.decodeIfPresent(String.self, forKey: .message) ?? ""
            let locks = (try? container.decodeIfPresent([String: Tolerant<Lock>].self, forKey: .lock)) ?? nil
            lock = locks?["backup"]?.value
        }
    }

    struct Lock: Decodable, Hashable, Sendable {
        var held: Bool
        /// Bytes to copy and copied, from 2.48 on.
        var size: Int64?
        var sizeComplete: Int64?

        private enum CodingKeys: String, CodingKey {
            case held, size
            case sizeComplete = "size-cplt"
        }
    }

    struct Repository: Decodable, Sendable {
        var key: Int
        var cipher: String?
        var status: Status

        init(key: Int, cipher: String?, status: Status) {
            self.key = key
            self.cipher = cipher
            self.status = status
        }

        private enum CodingKeys: String, CodingKey { case key, cipher, status }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            key = try container.decode(Int.self, forKey: .key)
            cipher = try container.decodeIfPresent(String.self, forKey: .cipher)
            status = (try? container.decodeIfPresent(Status.self, forKey: .status)) ?? Status()
        }
    }
}
