import Crypto
import CryptoExtras
import FleetPluginAPI
import FoundationEssentials

/// What a repository's marker says about encryption: nothing, or the repository's key, wrapped.
struct RepositoryEncryption: Hashable, Sendable, Codable {
    var scheme = none
    /// The repository key, once for each passphrase that opens it; absent where nothing is encrypted.
    var slots: [KeySlot]?

    static let none = "none"
    static let aes = "aes-256-gcm"
}

/// The repository key, sealed with AES-256-GCM under a key that scrypt (RFC 7914) makes of a passphrase. A new
/// passphrase is a new slot: what is encrypted with the repository key stays as it is.
struct KeySlot: Hashable, Sendable, Codable {
    var kdf = Self.scrypt
    /// scrypt's N, r and p: the memory it takes is 128·N·r bytes.
    var rounds: Int
    var blockSize: Int
    var parallelism: Int
    var salt: Data
    /// Nonce, sealed key and tag.
    var key: Data
    var createdAt: Timestamp

    static let scrypt = "scrypt"

    /// 32 MiB and some 0.1 s: each `wal-push` is a process of its own and pays it.
    private static let cost = (rounds: 1 << 15, blockSize: 8, parallelism: 1)
    /// What is read from a repository is not to exhaust the memory of whoever reads it.
    private static let maximumMemory = 1 << 30

    /// Seals a repository key.
    ///
    /// - Parameter repository: its id, to which the slot is bound.
    init(_ key: SymmetricKey, passphrase: [UInt8], repository: String) throws {
        (rounds, blockSize, parallelism) = Self.cost
        salt = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        createdAt = .now
        self.key = Data()
        let wrapping = try wrappingKey(passphrase)
        let box = try key.withUnsafeBytes {
            try AES.GCM.seal(Data($0), using: wrapping, authenticating: Array(repository.utf8))
        }
        guard let combined = box.combined else { throw FleetError(.failed, "a key could not be sealed") }
        self.key = combined
    }

    /// The repository key; nil when the passphrase is another one.
    ///
    /// - Throws: `unsupported` for a slot that this version cannot open.
    func open(passphrase: [UInt8], repository: String) throws -> SymmetricKey? {
        guard kdf == Self.scrypt, rounds > 1, rounds.nonzeroBitCount == 1, (1...64).contains(blockSize),
            (1...64).contains(parallelism), rounds <= Self.maximumMemory / (128 * blockSize)
        else {
            throw FleetError(
                .unsupported, "the key of the repository cannot be opened",
                cause: "\(kdf) with N=\(rounds), r=\(blockSize), p=\(parallelism)", hint: "use a newer fleet")
        }
        guard let box = try? AES.GCM.SealedBox(combined: key) else { return nil }
        let wrapping = try wrappingKey(passphrase)
        guard let opened = try? AES.GCM.open(box, using: wrapping, authenticating: Array(repository.utf8)) else {
            return nil
        }
        return SymmetricKey(data: opened)
    }

    private func wrappingKey(_ passphrase: [UInt8]) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: passphrase, salt: salt, outputByteCount: 32, rounds: rounds, blockSize: blockSize,
            parallelism: parallelism)
    }
}
