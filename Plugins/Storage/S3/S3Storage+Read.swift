import Crypto
import FleetPluginAPI
import FoundationEssentials
import HTTPClient

extension S3Storage {
    /// Reads an object and checks what arrived.
    ///
    /// - Parameters:
    ///   - key: in the bucket.
    ///   - range: not empty.
    func read(
        _ key: String, range: Range<Int64>?, _ capabilities: Capabilities
    ) async throws -> (bytes: [UInt8], answer: HTTPResult) {
        var call = S3Call(.get, key)
        call.responseLimit = .max
        if let range {
            call.headers["range"] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
            call.accepted = [416]
            call.deadline = S3Call.deadline(for: range.upperBound - range.lowerBound)
        } else {
            call.headers["x-amz-checksum-mode"] = "ENABLED"
            call.deadline = .seconds(6 * 3600)
        }
        let answer = try await client.perform(call) { answer in
            try Download(answer: answer, range: range, etagIsMD5: capabilities.etagIsMD5).check()
        }
        // The range begins behind the object's end.
        if answer.status == 416 { return ([], answer) }
        guard let range, answer.status == 200 else { return (answer.body, answer) }
        // A server that does not know ranges sends everything.
        let bounds = range.clamped(to: 0..<Int64(answer.body.count))
        return (Array(answer.body[Int(bounds.lowerBound)..<Int(bounds.upperBound)]), answer)
    }
}

/// What was read, and whether it is what the server has. Every complaint is worth another try.
struct Download {
    var answer: HTTPResult
    var range: Range<Int64>?
    var etagIsMD5: Bool

    func check() throws {
        if answer.status == 416 { return }
        try checkLength()
        if answer.status == 206, range != nil { return try checkRange() }
        guard answer.status == 200 else {
            throw FleetError(.protocolViolation, "the server answers a read with status \(answer.status)")
        }
        try checkContent()
    }

    private func checkLength() throws {
        if let length = answer.headers["content-length"] {
            guard Int64(length) == Int64(answer.body.count) else {
                throw Self.broken("\(answer.body.count) bytes of \(length) arrived")
            }
        } else if answer.headers["transfer-encoding"] == nil {
            // It ends when the connection does, for whatever reason that ended.
            throw Self.broken("the server does not say how long its answer is")
        }
    }

    /// `Content-Range: bytes 0-9/100` (RFC 9110, 14.4).
    private func checkRange() throws {
        guard let range, let text = answer.headers["content-range"], text.hasPrefix("bytes "),
            case let parts = text.dropFirst(6).split(separator: "/"), parts.count == 2, let total = Int64(parts[1]),
            case let bounds = parts[0].split(separator: "-"), bounds.count == 2, let first = Int64(bounds[0]),
            let last = Int64(bounds[1])
        else { throw Self.broken("the server does not say which range it sent") }
        guard first == range.lowerBound, last == min(range.upperBound, total) - 1,
            last - first + 1 == Int64(answer.body.count)
        else { throw Self.broken("the server sent another range than was asked for") }
    }

    private func checkContent() throws {
        // Of a checksum with a number behind it only the parts' are known: it is none of the object's bytes.
        if let wanted = answer.headers["x-amz-checksum-sha256"], !wanted.contains("-") {
            guard wanted == Data(SHA256.hash(data: answer.body)).base64EncodedString() else {
                throw Self.damaged("SHA-256")
            }
        } else if etagIsMD5, let tag = answer.headers["etag"].map(Self.unquoted), tag.utf8.count == 32,
            ["AES256", nil].contains(answer.headers["x-amz-server-side-encryption"]),
            answer.headers["x-amz-server-side-encryption-customer-algorithm"] == nil
        {
            guard tag.lowercased() == PercentEncoding.hex(Insecure.MD5.hash(data: answer.body)) else {
                throw Self.damaged("MD5")
            }
        }
    }

    static func unquoted(_ tag: String) -> String {
        tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.utf8.count >= 2 ? String(tag.dropFirst().dropLast()) : tag
    }

    private static func broken(_ cause: String) -> FleetError {
        FleetError(.unavailable, "the answer is not whole", cause: cause)
    }

    private static func damaged(_ what: String) -> FleetError {
        FleetError(
            .corrupted, "the bytes that arrived are not those that were stored", cause: "their \(what) is another",
            retriable: true)
    }
}
