import Crypto
import FleetPluginAPI
import FoundationEssentials
import HTTPClient

/// One request as it is asked for, before it is signed.
struct S3Call: Sendable {
    var method: HTTPRequest.Method
    /// In the bucket, prefix included; nil for the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    var headers = HTTPHeaders()
    var payload: Payload?
    /// Statuses beside 2xx that are answers and no errors.
    var accepted: Set<Int> = []
    var deadline = Duration.seconds(60)
    /// Nil for the settings'.
    var stallTimeout: Duration?
    var responseLimit: Int64 = 64 << 20

    init(_ method: HTTPRequest.Method, _ key: String?, query: [(name: String, value: String)] = []) {
        self.method = method
        self.key = key
        self.query = query
    }

    /// Bytes to send, hashed once for all attempts.
    struct Payload: Sendable {
        var bytes: [UInt8]
        /// Nil when nothing needs it.
        var sha256: [UInt8]?

        init(_ bytes: [UInt8], hashed: Bool = true) {
            self.bytes = bytes
            sha256 = hashed ? Array(SHA256.hash(data: bytes)) : nil
        }

        var checksum: String? { sha256.map { Data($0).base64EncodedString() } }
        var md5: String { Data(Insecure.MD5.hash(data: bytes)).base64EncodedString() }
    }

    /// Time for so many bytes over a slow line; what stands still is noticed much earlier.
    static func deadline(for bytes: Int64) -> Duration {
        .seconds(120 + bytes / 50_000)
    }
}
