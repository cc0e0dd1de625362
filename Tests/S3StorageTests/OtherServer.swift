import Crypto
import FleetTestSupport
import FoundationEssentials
import Synchronization

@testable import S3Storage

/// An S3 server in memory for what the real one cannot be made to show: it sorts lists as AWS does and cuts them into
/// small pages, can ignore conditions, be in another region, and remembers what it was asked. It checks no signatures.
final class OtherServer: Sendable {
    struct Habits: Sendable {
        var honoursConditions = true
        var refusesConditions = false
        var region: String?
        var pageSize = 3
        var makesMD5Tags = true
    }

    private struct State {
        var objects: [String: (bytes: [UInt8], headers: [String])] = [:]
        var requests: [LocalRequest] = []
        var uploads: [String] = []
    }

    private final class Shared: Sendable {
        let mutex = Mutex(State())
    }

    let server: LocalServer
    private let shared: Shared

    init(_ habits: Habits = Habits()) throws {
        let shared = Shared()
        self.shared = shared
        server = try LocalServer { connection in
            while let request = connection.readRequest() {
                let (head, body) = shared.mutex.withLock { state in
                    state.requests.append(request)
                    return Self.answer(request, habits, &state)
                }
                let isHead = request.line.hasPrefix("HEAD")
                guard connection.write(Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (isHead ? [] : body))
                else { return }
            }
        }
    }

    var requests: [LocalRequest] { shared.mutex.withLock { $0.requests } }
    var keys: [String] { shared.mutex.withLock { $0.objects.keys.sorted() } }
    func forget() { shared.mutex.withLock { $0.requests = [] } }

    /// Uploads that somebody began long ago.
    func leaveUploads(_ keys: [String]) { shared.mutex.withLock { $0.uploads = keys } }
    var uploads: [String] { shared.mutex.withLock { $0.uploads } }

    /// The status line and headers, and the body.
    private static func answer(_ request: LocalRequest, _ habits: Habits, _ state: inout State) -> ([String], [UInt8]) {
        let words = request.line.split(separator: " ").map(String.init)
        let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let path = target[0].dropFirst().split(separator: "/", maxSplits: 1).map(String.init)
        let query = Dictionary(
            (target.count > 1 ? target[1] : "").split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1).map { PercentEncoding.decode(String($0)) ?? "" }
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { $1 })
        if let region = habits.region, request.header("authorization")?.contains("/\(region)/s3/") != true {
            return error(400, "AuthorizationHeaderMalformed", "<Region>\(region)</Region>")
        }
        guard path.count == 2, let key = PercentEncoding.decode(path[1]) else {
            return query["uploads"] != nil ? listUploads(state) : list(query, habits, state)
        }
        switch words[0] {
        case "PUT":
            let isConditional = request.header("if-none-match") != nil
            if isConditional, habits.refusesConditions { return error(501, "NotImplemented") }
            if isConditional, habits.honoursConditions, state.objects[key] != nil {
                return error(412, "PreconditionFailed")
            }
            state.objects[key] = (request.body, request.headers.filter { $0.lowercased().hasPrefix("x-amz-meta") })
            return (["HTTP/1.1 200 OK", "ETag: \(tag(request.body, habits))", "Content-Length: 0"], [])
        case "DELETE":
            if query["uploadId"] != nil { state.uploads.removeAll { $0 == key } } else { state.objects[key] = nil }
            return (["HTTP/1.1 204 No Content"], [])
        case "GET", "HEAD":
            guard let object = state.objects[key] else { return error(404, "NoSuchKey") }
            // Ranges are ignored, as a server may.
            return (
                [
                    "HTTP/1.1 200 OK", "Server: Other/1.0", "ETag: \(tag(object.bytes, habits))",
                    "Last-Modified: Thu, 26 Nov 2026 02:14:08 GMT", "Content-Length: \(object.bytes.count)",
                ] + object.headers, object.bytes
            )
        default: return error(501, "NotImplemented")
        }
    }

    private static func tag(_ bytes: [UInt8], _ habits: Habits) -> String {
        habits.makesMD5Tags
            ? "\"\(PercentEncoding.hex(Insecure.MD5.hash(data: bytes)))\"" : "\"0123456789abcdef0123456789abcdef\""
    }

    private static func list(_ query: [String: String], _ habits: Habits, _ state: State) -> ([String], [UInt8]) {
        let start = query["continuation-token"] ?? query["start-after"] ?? ""
        let keys = state.objects.keys
            .filter {
                $0.utf8.starts(with: (query["prefix"] ?? "").utf8) && start.utf8.lexicographicallyPrecedes($0.utf8)
            }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let page = keys.prefix(min(habits.pageSize, query["max-keys"].flatMap { Int($0) } ?? 1000))
        let isCut = page.count < keys.count
        let entries = page.map { key in
            let size = state.objects[key]?.bytes.count ?? 0
            return "<Contents><Key>\(PercentEncoding.encode(key))</Key><Size>\(size)</Size>"
                + "<LastModified>2026-11-26T02:14:08.000Z</LastModified></Contents>"
        }
        let token = isCut ? "<NextContinuationToken>\(page.last ?? "")</NextContinuationToken>" : ""
        return xml(
            200,
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>\(isCut)</IsTruncated>\(token)"
                + "\(entries.joined())</ListBucketResult>")
    }

    private static func listUploads(_ state: State) -> ([String], [UInt8]) {
        let entries = state.uploads.map { key in
            "<Upload><Key>\(key)</Key><UploadId>id</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated></Upload>"
        }
        return xml(
            200,
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\(entries.joined())"
                + "</ListMultipartUploadsResult>")
    }

    private static func error(_ status: Int, _ code: String, _ more: String = "") -> ([String], [UInt8]) {
        xml(status, "<Error><Code>\(code)</Code><Message>no</Message>\(more)</Error>")
    }

    private static func xml(_ status: Int, _ text: String) -> ([String], [UInt8]) {
        (["HTTP/1.1 \(status) X", "Server: Other/1.0", "Content-Length: \(text.utf8.count)"], Array(text.utf8))
    }
}
