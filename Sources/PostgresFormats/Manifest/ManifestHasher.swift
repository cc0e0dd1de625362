import Crypto

/// Computes a file's checksum as a backup manifest states it, piece by piece.
public struct ManifestHasher {
    private enum State {
        case crc32c(CRC32C)
        // swift-crypto has no SHA-224.
        case sha256(SHA256)
        case sha384(SHA384)
        case sha512(SHA512)
    }

    private var state: State
    public let algorithm: BackupManifest.ChecksumAlgorithm

    /// Nil for SHA224, which fleet reads in manifests but does not compute.
    public init?(_ algorithm: BackupManifest.ChecksumAlgorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .crc32c: state = .crc32c(CRC32C())
        case .sha224: return nil
        case .sha256: state = .sha256(SHA256())
        case .sha384: state = .sha384(SHA384())
        case .sha512: state = .sha512(SHA512())
        }
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .crc32c(var crc):
            crc.update(bytes)
            state = .crc32c(crc)
        case .sha256(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha256(hash)
        case .sha384(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha384(hash)
        case .sha512(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha512(hash)
        }
    }

    public func finalize() -> BackupManifest.Checksum {
        let value: [UInt8] =
            switch state {
            case .crc32c(let crc): BackupManifest.Checksum(crc32c: crc.value).value
            case .sha256(let hash): Array(hash.finalize())
            case .sha384(let hash): Array(hash.finalize())
            case .sha512(let hash): Array(hash.finalize())
            }
        return BackupManifest.Checksum(algorithm, value)
    }
}
