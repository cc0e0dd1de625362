import Crypto
import FleetPluginAPI
import FoundationEssentials
import Synchronization

/// Opens an encrypted repository's key with the secret that fleet.yaml names, and makes keys for new repositories.
struct RepositoryLock: Sendable {
    /// In fleet.yaml.
    let name: String
    let secret: RepositorySecret?
    let resolve: SecretResolver

    init(_ repository: EngineContext.Repository, _ resolve: @escaping SecretResolver) {
        name = repository.name
        secret = repository.secret
        self.resolve = resolve
    }

    /// Keys that this process has opened: scrypt is slow on purpose, and a coordinator reads many instances.
    private static let opened = Mutex<[Opened: SymmetricKey]>([:])

    private struct Opened: Hashable {
        var repository: String
        var slots: [KeySlot]
        /// SHA-256 of the secret.
        var secret: ContentHash
    }

    /// What the marker of a new repository says: a new key, where there is a secret to seal it with.
    func make(for repository: String) async throws -> RepositoryEncryption {
        guard let secret else { return RepositoryEncryption() }
        let opener = try await opener(secret)
        return try await Workers.run {
            let slot = try KeySlot(SymmetricKey(size: .bits256), secret: opener, repository: repository)
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
            guard secret == nil else {
                throw FleetError(
                    .configuration, "the repository \(name) is not encrypted, and fleet.yaml says how it is",
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

    /// Lets a further secret open the repository, which must be one that the present one opens.
    ///
    /// - Parameter only: no other secret opens it any more.
    /// - Returns: what the marker is to say.
    func adding(_ new: RepositorySecret, only: Bool, to marker: RepositoryMarker) async throws -> RepositoryMarker {
        guard marker.encryption.scheme == RepositoryEncryption.aes else {
            _ = try await open(marker)
            throw FleetError(
                .refused, "the repository \(name) is not encrypted, so that no passphrase opens it",
                hint: "encryption is decided when a repository is made")
        }
        let key = try await unlock(marker)
        let opener = try await opener(new)
        let slot = try await Workers.run {
            try KeySlot(key, secret: opener, repository: marker.repository)
        }
        var marker = marker
        marker.encryption.slots = (only ? [] : marker.encryption.slots ?? []) + [slot]
        return marker
    }

    private func unlock(_ marker: RepositoryMarker) async throws -> SymmetricKey {
        guard let secret else {
            throw FleetError(
                .configuration, "the repository \(name) is encrypted, and fleet.yaml gives no passphrase for it",
                hint: "add encryption: {passphrase: {file: PATH}} to the repository")
        }
        let opener = try await opener(secret)
        let slots = marker.encryption.slots ?? []
        let id = Opened(repository: marker.repository, slots: slots, secret: opener.hash)
        if let key = Self.opened.withLock({ $0[id] }) { return key }
        let found = try await Workers.run { () throws -> SymmetricKey? in
            for slot in slots {
                if let key = try slot.open(opener, repository: marker.repository) { return key }
            }
            return nil
        }
        guard let key = found else {
            throw FleetError(
                .denied, "the \(secret.word) does not open the repository \(name)",
                cause: slots.isEmpty ? "its \(RepositoryMarker.key) has no key" : "none of its keys was made with it",
                hint: "give the passphrase or key that the repository was made with")
        }
        Self.opened.withLock { $0[id] = key }
        return key
    }

    private func opener(_ secret: RepositorySecret) async throws -> KeySlot.Opener {
        let text = try await resolve(secret.reference).reveal { $0 }
        guard !text.isEmpty else {
            throw FleetError(
                .configuration, "the \(secret.word) of the repository \(name) is empty",
                hint:
                    "put a long random text there, and keep a copy of it elsewhere: without it nothing can be restored")
        }
        guard case .key = secret else { return .passphrase(Array(text.utf8)) }
        let digits = text.filter { !$0.isWhitespace }
        guard let bytes = Hex.decode(digits) ?? Data(base64Encoded: digits).map({ [UInt8]($0) }), bytes.count == 32
        else {
            throw FleetError(
                .configuration, "the key of the repository \(name) is not 32 bytes in base64 or hexadecimal",
                hint: "make one with: openssl rand -base64 32; a text of any other kind is a passphrase:")
        }
        return .key(bytes)
    }
}

extension RepositorySecret {
    /// For people.
    fileprivate var word: String {
        switch self {
        case .passphrase: "passphrase"
        case .key: "key"
        }
    }
}

extension KeySlot.Opener {
    /// Tells secrets apart without keeping them.
    fileprivate var hash: ContentHash {
        switch self {
        case .passphrase(let text): ContentHash(of: [0] + text)
        case .key(let bytes): ContentHash(of: [1] + bytes)
        }
    }
}
