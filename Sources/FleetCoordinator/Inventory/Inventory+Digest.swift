import Crypto
import FleetConfig

extension Inventory {
    /// SHA-256 of fleet.yaml as it was read, in hexadecimal.
    var configurationDigest: String {
        SHA256.hash(data: configuration.source).hexadecimal
    }
}

extension Sequence where Element == UInt8 {
    /// Two lower-case digits a byte.
    var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
