import FleetPluginAPI

/// pgBackRest's options for repositories that fleet.yaml describes, as the environment variables that it reads them
/// from: no file has to lie beside the data, and secrets stay references until the moment they are used.
///
/// pgBackRest's `doc/xml/reference.xml`: an option `repo1-path` is `PGBACKREST_REPO1_PATH`.
struct RenderedOptions: Hashable, Sendable {
    private(set) var environment: [String: String] = [:]
    private(set) var secrets: [String: SecretReference] = [:]

    /// What is put below a repository's place, so that the native engine may have the same one.
    static let folder = "pgbackrest"

    /// - Throws: `configuration` for what pgBackRest cannot reach.
    init(_ repositories: [EngineContext.Repository]) throws {
        // Nobody reads or rotates files that fleet would make pgBackRest write.
        environment["PGBACKREST_LOG_LEVEL_FILE"] = "off"
        environment["PGBACKREST_START_FAST"] = "y"
        for (index, repository) in repositories.enumerated() {
            let prefix = "PGBACKREST_REPO\(index + 1)_"
            switch repository.plugin {
            case "directory": try addDirectory(repository, prefix)
            case "s3": try addS3(repository, prefix)
            default:
                throw FleetError(
                    .configuration, "pgBackRest cannot keep backups in the repository \(repository.name)",
                    cause: "it knows no \(repository.plugin) storage", hint: "use a directory or s3")
            }
            // pgBackRest derives its keys from any text.
            if let secret = repository.secret {
                environment["\(prefix)CIPHER_TYPE"] = "aes-256-cbc"
                secrets["\(prefix)CIPHER_PASS"] = secret.reference
            }
        }
    }

    private mutating func addDirectory(_ repository: EngineContext.Repository, _ prefix: String) throws {
        environment["\(prefix)PATH"] = "\(try repository.options.required("path"))/\(Self.folder)"
    }

    private mutating func addS3(_ repository: EngineContext.Repository, _ prefix: String) throws {
        let options = repository.options
        let region = options.string("region") ?? "us-east-1"
        environment["\(prefix)TYPE"] = "s3"
        environment["\(prefix)S3_BUCKET"] = try options.required("bucket")
        environment["\(prefix)S3_REGION"] = region
        let path = (options.string("prefix") ?? "").split(separator: "/").map { "/\($0)" }.joined()
        environment["\(prefix)PATH"] = "\(path)/\(Self.folder)"
        if let endpoint = options.string("endpoint") {
            guard endpoint.hasPrefix("https://") else {
                throw FleetError(
                    .configuration, "pgBackRest reaches S3 by https only, and \(repository.name) is at \(endpoint)",
                    hint: "give the server a certificate, and name it in caFile")
            }
            let place = endpoint.dropFirst("https://".count).prefix { $0 != "/" }
            let port = place.lastIndex(of: ":").flatMap { Int(place[place.index(after: $0)...]) }
            environment["\(prefix)S3_ENDPOINT"] =
                port.map { String(place.dropLast("\($0)".count + 1)) } ?? String(place)
            environment["\(prefix)STORAGE_PORT"] = port.map { "\($0)" }
        } else {
            environment["\(prefix)S3_ENDPOINT"] = "s3.\(region).amazonaws.com"
        }
        let isPath = options.string("addressing").map { $0 == "path" } ?? (options.string("endpoint") != nil)
        environment["\(prefix)S3_URI_STYLE"] = isPath ? "path" : "host"
        environment["\(prefix)STORAGE_CA_FILE"] = options.string("caFile")
        secrets["\(prefix)S3_KEY"] = options.secret("accessKey")
        secrets["\(prefix)S3_KEY_SECRET"] = options.secret("secretKey")
        secrets["\(prefix)S3_TOKEN"] = options.secret("sessionToken")
    }

    /// Where the server is and how it is reached, for commands that ask it.
    mutating func add(_ location: InstanceLocation?, _ endpoint: Endpoint?) {
        environment["PGBACKREST_PG1_PATH"] = location?.dataDirectory
        guard let endpoint else { return }
        environment["PGBACKREST_PG1_PORT"] = "\(endpoint.port)"
        environment["PGBACKREST_PG1_USER"] = endpoint.user
        // pgBackRest reaches a server beside it by its socket only.
        if endpoint.host.hasPrefix("/") { environment["PGBACKREST_PG1_SOCKET_PATH"] = endpoint.host }
    }
}
