import Crypto
import FleetPluginAPI

/// How the entries of the audit hang together; every implementation of `StateStore` chains them like this.
///
/// An entry's hash is SHA-256, in lower-case hex, over: the previous entry's hash as text (empty before the first),
/// sequence, time in microseconds since 1970, actor, action, subject and details, in this order. Each is written as
/// UTF-8 text (numbers in decimal) after its length in bytes, in decimal with a colon: `5:alice`. Absent details are
/// `-` alone. Details are hashed as the JSON text that was stored, not as they would be encoded today.
enum AuditChain {
    static func hash(
        previous: String, sequence: Int64, time: Timestamp, actor: String, action: String, subject: String,
        details: String?
    ) -> String {
        var hash = SHA256()
        for field in [previous, String(sequence), String(time.microseconds), actor, action, subject] {
            hash.update(field)
        }
        if let details { hash.update(details) } else { hash.update(data: [UInt8(ascii: "-")]) }
        return hash.finalize().reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }

    private static let digits = Array("0123456789abcdef")
}

extension SHA256 {
    fileprivate mutating func update(_ field: String) {
        update(data: Array("\(field.utf8.count):".utf8))
        update(data: Array(field.utf8))
    }
}
