import FleetPluginAPI
import FoundationEssentials

/// A repository whose marker has been read: the one thing that tells an empty repository from one that is not there.
struct Repository: Sendable {
    /// Its name in fleet.yaml.
    let name: String
    let marker: RepositoryMarker
    /// What lies there, decrypted.
    let storage: any Storage
    /// Where the marker lies, which is never encrypted.
    private let base: any Storage
    private let cipher: RepositoryCipher?

    private init(
        _ repository: EngineContext.Repository, _ marker: RepositoryMarker, _ resolve: @escaping SecretResolver
    ) async throws {
        name = repository.name
        self.marker = marker
        base = repository.storage
        cipher = try await RepositoryLock(repository, resolve).open(marker)
        storage = cipher.map { EncryptedStorage(repository.storage, $0) } ?? repository.storage
    }

    /// - Throws: `unavailable` when there is no repository, `unsupported` when it is of another format, `corrupted`;
    ///   what `RepositoryLock.open` throws.
    static func open(_ repository: EngineContext.Repository, _ resolve: @escaping SecretResolver) async throws
        -> Repository
    {
        guard let found = try await find(repository, resolve) else { throw absence(repository.name) }
        return found
    }

    private static func absence(_ name: String) -> FleetError {
        FleetError(
            .unavailable, "the repository \(name) is not there",
            cause: "its storage holds no \(RepositoryMarker.key)",
            hint: "if it is new, the first backup makes it; if not, check that the right place is mounted")
    }

    /// Nil when the storage can be read and has no marker.
    static func find(_ repository: EngineContext.Repository, _ resolve: @escaping SecretResolver) async throws
        -> Repository?
    {
        guard let marker = try await marker(of: repository.name, in: repository.storage) else { return nil }
        return try await Repository(repository, marker, resolve)
    }

    private static func marker(of name: String, in storage: any Storage) async throws -> RepositoryMarker? {
        guard let bytes = try await storage.getIfPresent(RepositoryMarker.key) else { return nil }
        let marker = try SealedJSON.decode(
            RepositoryMarker.self, bytes, "\(RepositoryMarker.key) of the repository \(name)")
        try marker.check(name)
        return marker
    }

    /// Looks again whether the repository is certainly there.
    ///
    /// - Throws: as `open`.
    func checkPresence() async throws {
        guard try await Self.marker(of: name, in: base) != nil else { throw Self.absence(name) }
    }

    /// Opens the repository, or makes it where the storage is entirely empty, encrypted when it has a passphrase.
    ///
    /// Only what writes a new backup calls this: were WAL to make repositories too, one that vanished would come back
    /// empty and answer "not in the archive".
    static func openOrCreate(_ repository: EngineContext.Repository, _ resolve: @escaping SecretResolver) async throws
        -> Repository
    {
        do {
            if let found = try await find(repository, resolve) { return found }
        } catch let error as FleetError where error.code == .unavailable {
            // A directory that nobody has made yet; `prepare` fails where it is more than that.
        }
        try await repository.storage.prepare()
        if let found = try await find(repository, resolve) { return found }
        // Another backup may be making it at this moment.
        let others = try await repository.storage.list("", after: nil, limit: 2).objects
            .filter { $0.key != RepositoryMarker.key }
        guard others.isEmpty else {
            if let found = try await find(repository, resolve) { return found }
            throw FleetError(
                .refused, "the storage of the repository \(repository.name) holds something else",
                cause: "it has no \(RepositoryMarker.key), but \(others[0].key)",
                hint: "give the repository a place of its own, or bring its \(RepositoryMarker.key) back")
        }
        let id = UUID().uuidString.lowercased()
        let encryption = try await RepositoryLock(repository, resolve).make(for: id)
        let marker = RepositoryMarker(repository: id, encryption: encryption, createdAt: .now)
        do {
            try await repository.storage.put(RepositoryMarker.key, SealedJSON.encode(marker), condition: .absent)
        } catch let error as FleetError where error.code == .alreadyExists {
            // Somebody else made it at the same time.
        }
        return try await open(repository, resolve)
    }

    /// Lets another passphrase or key open the repository; nothing but its marker is written.
    static func add(
        _ secret: RepositorySecret, only: Bool, to repository: EngineContext.Repository,
        _ resolve: @escaping SecretResolver
    ) async throws {
        guard let marker = try await marker(of: repository.name, in: repository.storage) else {
            throw absence(repository.name)
        }
        let changed = try await RepositoryLock(repository, resolve).adding(secret, only: only, to: marker)
        try await repository.storage.put(RepositoryMarker.key, SealedJSON.encode(changed), condition: .any)
    }

    /// Gives an object another name as it lies there, whether it can be decrypted or not.
    func moveAside(_ key: String, to aside: String) async throws {
        try await base.put(aside, base.get(key), condition: .any)
        try await base.delete(key)
    }

    func instance(_ name: String) throws -> InstanceRepository {
        InstanceRepository(repository: self, keys: try InstanceKeys(name, folder: cipher?.folder(of: name)))
    }
}

extension Storage {
    func exists(_ key: String) async throws -> Bool { try await head(key) != nil }

    /// An object, or nil when there is none. What is unavailable is an error.
    func getIfPresent(_ key: String) async throws -> [UInt8]? {
        do {
            return try await get(key, range: nil)
        } catch let error as FleetError where error.code == .notFound {
            return nil
        }
    }
}
