import Crypto
import FleetPluginAPI
import FoundationEssentials
import Synchronization

/// Opens an encrypted repository's key with the passphrase that fleet.yaml names, and makes keys for new repositories.
struct RepositoryLock: Sendable {
    /// In fleet.yaml.
    let name: String
    let passphrase: SecretReference?
    let resolve: SecretResolver

    init(_ repository: EngineContext.Repository, _ resolve: @escaping SecretResolver) {
        name = repository.name
        passphrase = repository.passphrase
        self.resolve = resolve
    }

    /// Keys that this process has opened: scrypt is slow on purpose, and a coordinator reads many instances.
    private static let opened = Mutex<[Opened: SymmetricKey]>([:])

    private struct Opened: Hashable {
        var repository: String
        var slots: [KeySlot]
        /// SHA-256 of the passphrase.
        var passphrase: ContentHash
    }

    /// What the marker of a new repository says: a new key, where there is a passphrase.
    func make(for repository: String) async throws -> RepositoryEncryption {
        guard let secret = try passphrase.map(secret) else { return RepositoryEncryption() }
        return try await Workers.run {
            let slot = try KeySlot(SymmetricKey(size: .bits256), passphrase: secret, repository: repository)
            return RepositoryEncryption(scheme: RepositoryEncryption.aes, slots: [slot])
        }
    }

    /// The cipher of a repository; nil when it is not encrypted.
    ///
    /// - Throws: `configuration` when fleet.yaml and the repository disagree about encryption, `denied` when the
    ///   passphrase is another one, `unsupported` for a scheme that this version does not know.
    func open(_ marker: RepositoryMarker) async throws -> RepositoryCipher? {
        switch marker.encryption.scheme {
        case RepositoryEncryption.none:
            guard passphrase == nil else {
                throw FleetError(
                    .configuration, "the repository \(name) is not encrypted, and fleet.yaml gives it a passphrase",
                    cause: "its \(RepositoryMarker.key) was made without one",
                    hint: "encryption is decided when a repository is made: give the encrypted one a place of its own")
            }
            return nil
        case RepositoryEncryption.aes: return RepositoryCipher(try await unlock(marker))
        case let scheme:
            throw FleetError(
                .unsupported, "the repository \(name) is encrypted with the scheme \(scheme)",
                cause: "this version of fleet does not know it", hint: "use a newer fleet")
        }
    }

    /// Lets a further passphrase open the repository, which must be one that the present one opens.
    ///
    /// - Parameter only: no other passphrase opens it any more.
    /// - Returns: what the marker is to say.
    func adding(_ new: SecretReference, only: Bool, to marker: RepositoryMarker) async throws -> RepositoryMarker {
        guard marker.encryption.scheme == RepositoryEncryption.aes else {
            _ = try await open(marker)
            throw FleetError(
                .refused, "the repository \(name) is not encrypted, so that no passphrase opens it",
                hint: "encryption is decided when a repository is made")
        }
        let key = try await unlock(marker)
        let secret = try secret(new)
        let slot = try await Workers.run {
            try KeySlot(key, passphrase: secret, repository: marker.repository)
        }
        var marker = marker
        marker.encryption.slots = (only ? [] : marker.encryption.slots ?? []) + [slot]
        return marker
    }

    private func unlock(_ marker: RepositoryMarker) async throws -> SymmetricKey {
        guard let secret = try passphrase.map(secret) else {
            throw FleetError(
                .configuration, "the repository \(name) is encrypted, and fleet.yaml gives no passphrase for it",
                hint: "add encryption: {passphrase: {file: PATH}} to the repository")
        }
        let slots = marker.encryption.slots ?? []
        let id = Opened(repository: marker.repository, slots: slots, passphrase: ContentHash(of: secret))
        if let key = Self.opened.withLock({ $0[id] }) { return key }
        let found = try await Workers.run { () throws -> SymmetricKey? in
            for slot in slots {
                if let key = try slot.open(passphrase: secret, repository: marker.repository) { return key }
            }
            return nil
        }
        guard let key = found else {
            throw FleetError(
                .denied, "the passphrase does not open the repository \(name)",
                cause: slots.isEmpty ? "its \(RepositoryMarker.key) has no key" : "none of its keys was made with it",
                hint: "give the passphrase that the repository was made with")
        }
        Self.opened.withLock { $0[id] = key }
        return key
    }

    private func secret(_ reference: SecretReference) throws -> [UInt8] {
        let bytes = try resolve(reference).reveal { Array($0.utf8) }
        guard !bytes.isEmpty else {
            throw FleetError(
                .configuration, "the passphrase of the repository \(name) is empty",
                hint:
                    "put a long random text there, and keep a copy of it elsewhere: without it nothing can be restored")
        }
        return bytes
    }
}
