import Crypto
import CryptoExtras
import FleetPluginAPI
import FoundationEssentials

/// What a repository's marker says about encryption: nothing, or the repository's key, wrapped.
struct RepositoryEncryption: Hashable, Sendable, Codable {
    var scheme = none
    /// The repository key, once for each passphrase or key that opens it; absent where nothing is encrypted.
    var slots: [KeySlot]?

    static let none = "none"
    static let aes = "aes-256-gcm"
}

/// The repository key, sealed with AES-256-GCM under a key that scrypt (RFC 7914) makes of a passphrase, or HKDF
/// (RFC 5869) of a key. Another passphrase is another slot: what is encrypted with the repository key stays as it is.
struct KeySlot: Hashable, Sendable, Codable {
    var kdf: String
    /// scrypt's N, r and p: the memory it takes is 128·N·r bytes.
    var rounds: Int?
    var blockSize: Int?
    var parallelism: Int?
    var salt: Data
    /// Nonce, sealed key and tag.
    var key: Data
    var createdAt: Timestamp

    static let scrypt = "scrypt"
    static let hkdf = "hkdf-sha256"

    /// 32 MiB and some 0.1 s: each `wal-push` is a process of its own and pays it.
    private static let cost = (rounds: 1 << 15, blockSize: 8, parallelism: 1)
    /// What is read from a repository is not to exhaust the memory of whoever reads it.
    private static let maximumMemory = 1 << 30

    /// Seals a repository key.
    ///
    /// - Parameter repository: its id, to which the slot is bound.
    init(_ key: SymmetricKey, secret: Opener, repository: String) throws {
        switch secret {
        case .passphrase:
            kdf = Self.scrypt
            (rounds, blockSize, parallelism) = Self.cost
        case .key: kdf = Self.hkdf
        }
        salt = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        createdAt = .now
        self.key = Data()
        guard let wrapping = try wrappingKey(secret) else { throw FleetError(.failed, "a key could not be sealed") }
        let box = try key.withUnsafeBytes {
            try AES.GCM.seal(Data($0), using: wrapping, authenticating: Array(repository.utf8))
        }
        guard let combined = box.combined else { throw FleetError(.failed, "a key could not be sealed") }
        self.key = combined
    }

    /// What is given to open a slot.
    enum Opener: Hashable, Sendable {
        /// UTF-8.
        case passphrase([UInt8])
        /// 32 bytes.
        case key([UInt8])
    }

    /// The repository key; nil when the slot was made with another passphrase or key.
    ///
    /// - Throws: `unsupported` for a slot that this version cannot open.
    func open(_ secret: Opener, repository: String) throws -> SymmetricKey? {
        guard let box = try? AES.GCM.SealedBox(combined: key), let wrapping = try wrappingKey(secret) else {
            return nil
        }
        guard let opened = try? AES.GCM.open(box, using: wrapping, authenticating: Array(repository.utf8)) else {
            return nil
        }
        return SymmetricKey(data: opened)
    }

    /// Nil when it is no slot for such a secret.
    private func wrappingKey(_ secret: Opener) throws -> SymmetricKey? {
        switch (kdf, secret) {
        case (Self.scrypt, .passphrase(let text)): try scryptKey(text)
        case (Self.hkdf, .key(let bytes)):
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: bytes), salt: salt, info: Array("fleet repository key".utf8),
                outputByteCount: 32)
        case (Self.scrypt, .key), (Self.hkdf, .passphrase): nil
        default: throw Self.unsupported(kdf)
        }
    }

    private func scryptKey(_ passphrase: [UInt8]) throws -> SymmetricKey {
        guard let rounds, let blockSize, let parallelism, rounds > 1, rounds.nonzeroBitCount == 1,
            (1...64).contains(blockSize), (1...64).contains(parallelism),
            rounds <= Self.maximumMemory / (128 * blockSize)
        else {
            throw Self.unsupported("\(kdf) with N=\(rounds ?? 0), r=\(blockSize ?? 0), p=\(parallelism ?? 0)")
        }
        return try KDF.Scrypt.deriveKey(
            from: passphrase, salt: salt, outputByteCount: 32, rounds: rounds, blockSize: blockSize,
            parallelism: parallelism)
    }

    private static func unsupported(_ cause: String) -> FleetError {
        FleetError(
            .unsupported, "the key of the repository cannot be opened", cause: cause, hint: "use a newer fleet")
    }
}
