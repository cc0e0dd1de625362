import FleetPluginAPI
import Glibc
import HTTPClient
import Synchronization

/// Signs requests, sends them, and tries again what may pass.
final class S3Client: Sendable {
    let settings: S3Settings
    private let credentials: S3Credentials
    private let session: HTTPSession
    private let retry: RetryPolicy
    private let clock: @Sendable () -> Timestamp
    /// The bucket's, as far as it is known.
    private let region: Mutex<String>

    init(
        _ settings: S3Settings, resolve: @escaping SecretResolver, retry: RetryPolicy,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.settings = settings
        self.retry = retry
        self.clock = clock
        credentials = S3Credentials(settings, resolve: resolve)
        region = Mutex(settings.region)
        var options = HTTPSession.Options()
        options.tls.authorityFile = settings.authorityFile
        session = HTTPSession(options)
    }

    /// The budget is for slow lines: an upload of minutes that breaks at its end is worth another try.
    static let patient = RetryPolicy(
        attempts: 6, firstPause: .milliseconds(200), longestPause: .seconds(10), budget: .seconds(900))

    var now: Timestamp { clock() }

    /// Sends a request until it is answered well, or will never be.
    ///
    /// An error does not say that nothing happened: an attempt whose answer was lost may have had its effect.
    ///
    /// - Parameter check: refuses an answer; when its error is retriable the request is sent again.
    /// - Throws: see `S3Fault`; what `HTTPSession.send` throws.
    func perform(_ call: S3Call, _ check: (HTTPResult) throws -> Void = { _ in }) async throws -> HTTPResult {
        var last: S3Fault?
        let result = try await retry.run {
            last = nil
            let (result, fault) = try await exchange(call)
            guard let fault else {
                try check(result)
                return result
            }
            last = fault
            // A status that everybody tries again is the policy's own business, which honours `Retry-After`.
            if fault.isPassing, !fault.hasPassingStatus { throw fault.error }
            return result
        }
        if let last { throw last.error }
        return result
    }

    /// One answer; more than one request only where credentials were replaced or the region was another.
    private func exchange(_ call: S3Call) async throws -> (HTTPResult, S3Fault?) {
        var hasNewKeys = false
        var hasNewRegion = false
        var keys = try await credentials.current()
        while true {
            let region = region.withLock { $0 }
            let result = try await session.fetch(request(call, keys, region))
            if result.isSuccess || call.accepted.contains(result.status) { return (result, nil) }
            let fault = S3Fault(result, call, settings, region: region, keys: keys, now: clock())
            if fault.refusesKeys, !hasNewKeys, let others = try await credentials.replacement(for: keys) {
                hasNewKeys = true
                keys = others
            } else if let other = fault.otherRegion, !hasNewRegion {
                hasNewRegion = true
                self.region.withLock { $0 = other }
            } else {
                return (result, fault)
            }
        }
    }

    private func request(_ call: S3Call, _ keys: S3Keys, _ region: String) -> HTTPRequest {
        let signature = Signature(region: region, date: clock())
        let place = settings.endpoint.place(bucket: settings.bucket, key: call.key, region: region)
        var headers = call.headers
        headers["x-amz-date"] = signature.dateText
        let hash: String
        if let payload = call.payload {
            let signed = settings.signsPayload ? payload.sha256.map { PercentEncoding.hex($0) } : nil
            hash = signed ?? Signature.unsignedPayload
        } else {
            hash = Signature.emptyPayload
        }
        headers["x-amz-content-sha256"] = hash
        var secretHeaders: [String: Secret] = [:]
        var signed = headers.fieldList.map { (name: $0.name, value: $0.value) } + [("host", place.host)]
        if let token = keys.sessionToken {
            secretHeaders["x-amz-security-token"] = token
            signed.append(("x-amz-security-token", token.reveal { $0 }))
        }
        secretHeaders["authorization"] = signature.authorization(
            .init(
                method: call.method.rawValue, path: place.path, query: call.query, headers: signed, payloadHash: hash),
            keys)
        let query = call.query.isEmpty ? "" : "?" + Signature.canonicalQuery(call.query)
        return HTTPRequest(
            call.method, "\(settings.endpoint.scheme)://\(place.host)\(place.path)\(query)", headers: headers,
            secretHeaders: secretHeaders, body: call.payload.map { .bytes($0.bytes) } ?? .none,
            deadline: call.deadline, stallTimeout: call.stallTimeout ?? settings.stallTimeout,
            responseLimit: call.responseLimit)
    }
}
