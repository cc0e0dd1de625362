import FleetPluginAPI
import FoundationEssentials

/// A repository whose marker has been read: the one thing that tells an empty repository from one that is not there.
struct Repository: Sendable {
    /// Its name in fleet.yaml.
    let name: String
    let storage: any Storage
    let marker: RepositoryMarker

    /// - Throws: `unavailable` when there is no repository, `unsupported` when it is of another format or encrypted,
    ///   `corrupted`.
    static func open(_ repository: EngineContext.Repository) async throws -> Repository {
        guard let found = try await find(repository) else {
            throw FleetError(
                .unavailable, "the repository \(repository.name) is not there",
                cause: "its storage holds no \(RepositoryMarker.key)",
                hint: "if it is new, the first backup makes it; if not, check that the right place is mounted")
        }
        return found
    }

    /// Nil when the storage can be read and has no marker.
    static func find(_ repository: EngineContext.Repository) async throws -> Repository? {
        guard let bytes = try await repository.storage.getIfPresent(RepositoryMarker.key) else { return nil }
        let marker = try SealedJSON.decode(
            RepositoryMarker.self, bytes, "\(RepositoryMarker.key) of the repository \(repository.name)")
        try marker.check(repository.name)
        return Repository(name: repository.name, storage: repository.storage, marker: marker)
    }

    /// Opens the repository, or makes it where the storage is entirely empty.
    ///
    /// Only what writes a new backup calls this: were WAL to make repositories too, one that vanished would come back
    /// empty and answer "not in the archive".
    static func openOrCreate(_ repository: EngineContext.Repository) async throws -> Repository {
        do {
            if let found = try await find(repository) { return found }
        } catch let error as FleetError where error.code == .unavailable {
            // A directory that nobody has made yet; `prepare` fails where it is more than that.
        }
        try await repository.storage.prepare()
        if let found = try await find(repository) { return found }
        // Another backup may be making it at this moment.
        let others = try await repository.storage.list("", after: nil, limit: 2).objects
            .filter { $0.key != RepositoryMarker.key }
        guard others.isEmpty else {
            if let found = try await find(repository) { return found }
            throw FleetError(
                .refused, "the storage of the repository \(repository.name) holds something else",
                cause: "it has no \(RepositoryMarker.key), but \(others[0].key)",
                hint: "give the repository a place of its own, or bring its \(RepositoryMarker.key) back")
        }
        let marker = RepositoryMarker(repository: UUID().uuidString.lowercased(), createdAt: .now)
        do {
            try await repository.storage.put(RepositoryMarker.key, SealedJSON.encode(marker), condition: .absent)
        } catch let error as FleetError where error.code == .alreadyExists {
            // Somebody else made it at the same time.
        }
        return try await open(repository)
    }

    func instance(_ name: String) throws -> InstanceRepository {
        InstanceRepository(repository: self, keys: try InstanceKeys(name))
    }
}

extension Storage {
    /// An object, or nil when there is none. What is unavailable is an error.
    func getIfPresent(_ key: String) async throws -> [UInt8]? {
        do {
            return try await get(key, range: nil)
        } catch let error as FleetError where error.code == .notFound {
            return nil
        }
    }
}
