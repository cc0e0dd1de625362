import Crypto
import FleetPluginAPI
import FoundationEssentials

/// AWS Signature Version 4 in the `Authorization` header.
///
/// Facts: "AWS Signature Version 4 for API requests" and, for S3, whose paths are encoded once and never normalized,
/// "Authenticating Requests: Using the Authorization Header" in S3's API reference.
struct Signature {
    var region: String
    var service = "s3"
    var date: Timestamp

    /// What stands for the body's hash where the body is not signed.
    static let unsignedPayload = "UNSIGNED-PAYLOAD"
    static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// `20130524T000000Z`
    var dateText: String { date.compact }

    struct Subject {
        var method: String
        /// Encoded already, begins with a slash.
        var path: String
        var query: [(name: String, value: String)] = []
        /// Every header that is to be signed, `host` and `x-amz-date` among them.
        var headers: [(name: String, value: String)]
        var payloadHash: String
    }

    /// The value of `Authorization`.
    func authorization(_ subject: Subject, _ keys: S3Keys) -> Secret {
        let headers = Self.canonicalHeaders(subject.headers)
        let names = headers.map(\.name).joined(separator: ";")
        let canonical = [
            subject.method, subject.path, Self.canonicalQuery(subject.query),
            headers.map { "\($0.name):\($0.value)\n" }.joined(), names, subject.payloadHash,
        ].joined(separator: "\n")
        let day = String(dateText.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let hash = PercentEncoding.hex(SHA256.hash(data: Array(canonical.utf8)))
        let text = "AWS4-HMAC-SHA256\n\(dateText)\n\(scope)\n\(hash)"
        var key = keys.secretKey.reveal { SymmetricKey(data: Array("AWS4\($0)".utf8)) }
        for part in [day, region, service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        let signature = PercentEncoding.hex(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        return keys.accessKey.reveal {
            Secret("AWS4-HMAC-SHA256 Credential=\($0)/\(scope), SignedHeaders=\(names), Signature=\(signature)")
        }
    }

    /// Sorted by name and then value, after encoding. The request is sent with the same text.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0.0 == $1.0 ? precedes($0.1, $1.1) : precedes($0.0, $1.0) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// Lower-case names in order; values trimmed, runs of spaces made one; values of one name joined in their order.
    private static func canonicalHeaders(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)]
    {
        var values: [String: [String]] = [:]
        for (name, value) in headers {
            let words = value.split(whereSeparator: { $0 == " " || $0 == "\t" })
            values[name.lowercased(), default: []].append(words.joined(separator: " "))
        }
        return values.map { ($0.key, $0.value.joined(separator: ",")) }.sorted { precedes($0.0, $1.0) }
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

/// What requests are signed with.
struct S3Keys: Sendable {
    var accessKey: Secret
    var secretKey: Secret
    var sessionToken: Secret?

    func isSame(as other: S3Keys) -> Bool {
        func value(_ secret: Secret?) -> String? { secret?.reveal { $0 } }
        return value(accessKey) == value(other.accessKey) && value(secretKey) == value(other.secretKey)
            && value(sessionToken) == value(other.sessionToken)
    }

    /// A server's words without anything that is secret here, in case it repeats what it was sent.
    func redact(_ text: String) -> String {
        [accessKey, secretKey, sessionToken].compactMap { $0 }.reduce(text) { text, secret in
            secret.reveal { value in
                guard value.utf8.count >= 4 else { return text }
                return text.split(separator: value, omittingEmptySubsequences: false).joined(separator: "…")
            }
        }
    }
}
