import FleetPluginAPI
import HTTPClient

/// An answer that is no success, and what it means ("Error responses" in S3's API reference).
///
/// Only a server that says `NoSuchKey` in S3's way makes `notFound` of it: a 404 from anything else between here and
/// the bucket must not pass for an object that is not there.
struct S3Fault {
    var status: Int
    var code: String
    var error: FleetError
    /// Where the bucket is, when the server says so and it is not where it was asked.
    var otherRegion: String?

    init(_ result: HTTPResult, _ call: S3Call, _ settings: S3Settings, region: String, keys: S3Keys, now: Timestamp) {
        let said = ErrorAnswer(result.body)
        status = result.status
        code = said.code
        let named = result.headers["x-amz-bucket-region"].flatMap { ErrorAnswer.isRegion($0) ? $0 : nil } ?? said.region
        if let named, named != region, [301, 307, 400, 403].contains(status) { otherRegion = named }
        let text = keys.redact([said.code, said.message].filter { !$0.isEmpty }.joined(separator: ": "))
        let reader = Reader(
            call: call, place: settings.description(region: region), status: status, code: code,
            cause: text.isEmpty ? "status \(status)" : text, named: named)
        error = reader.error(skew: Timestamp(httpDate: result.headers["date"] ?? "").map { $0 - now })
        if isPassing {
            error.isRetriable = true
            if error.code == .failed { error.code = .unavailable }
        }
    }

    /// An error in the body of a success, as `CompleteMultipartUpload` may answer.
    init(inBody result: HTTPResult, _ call: S3Call, _ settings: S3Settings, region: String, now: Timestamp) {
        var failed = result
        failed.status =
            ["InternalError", "SlowDown", "ServiceUnavailable"].contains(ErrorAnswer(result.body).code) ? 503 : 400
        let none = S3Keys(accessKey: Secret(""), secretKey: Secret(""))
        self.init(failed, call, settings, region: region, keys: none, now: now)
    }

    var hasPassingStatus: Bool { [408, 425, 429, 500, 502, 503, 504].contains(status) }

    /// Whether the same request may succeed in a moment.
    var isPassing: Bool {
        hasPassingStatus
            || [
                "RequestTimeout", "SlowDown", "InternalError", "OperationAborted", "ConditionalRequestConflict",
                "BadDigest", "XAmzContentChecksumMismatch", "IncompleteBody", "TemporaryRedirect",
                "RequestTimeTooEarly",
            ].contains(code)
    }

    /// Whether other credentials may be accepted: the ones used may have been replaced a moment ago, or read while they were.
    var refusesKeys: Bool {
        [
            "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", "InvalidAccessKeyId",
            "SignatureDoesNotMatch", "AccessDenied",
        ].contains(code) || (status == 403 && code.isEmpty)
    }
}

/// Finds the error for an answer.
private struct Reader {
    var call: S3Call
    var place: String
    var status: Int
    var code: String
    var cause: String
    var named: String?

    func error(skew: Duration?) -> FleetError {
        switch code {
        case "NoSuchKey", "NoSuchUpload": return of(.notFound, "there is no such object in \(place)")
        case "NoSuchBucket":
            return of(.configuration, "there is no \(place)", "make it, or correct bucket and endpoint")
        case "InvalidBucketName": return of(.configuration, "\(place) has a name that the server does not allow")
        case "PreconditionFailed": return of(.alreadyExists, "the object exists already")
        case "RequestTimeTooSkewed": return skewed(skew)
        case "InvalidAccessKeyId":
            return of(
                .denied, "\(place) does not know the access key", "check accessKey, and that the endpoint is right")
        case "SignatureDoesNotMatch":
            return of(
                .denied, "\(place) refuses the signature",
                "check secretKey and region; a proxy that changes Host or the path also breaks signatures")
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken":
            return of(
                .denied, "\(place) does not accept the session token",
                "it has expired, or belongs to another access key: replace all three secrets")
        case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
            return wrongRegion
        case "BadDigest", "XAmzContentChecksumMismatch", "IncompleteBody":
            return of(.corrupted, "\(place) did not receive the bytes that were sent")
        case "NotImplemented": return of(.unsupported, "\(place) does not offer this")
        case "EntityTooLarge", "XMinioStorageFull", "QuotaExceeded", "InsufficientCapacity":
            return of(.exhausted, "\(place) takes no more")
        case "InvalidObjectState":
            return of(.unavailable, "the object is in an archive class", "restore it to a class that can be read first")
        default: return byStatus
        }
    }

    private var byStatus: FleetError {
        switch status {
        case 301: wrongRegion
        case 400 where named != nil: wrongRegion
        case 401, 403:
            of(
                .denied, "\(place) denies it",
                "the key needs GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucket; without the "
                    + "last S3 answers so for missing objects, too")
        case 404 where call.method == .head: of(.notFound, "there is no such object in \(place)")
        case 404:
            of(.unavailable, "\(place) answers 404, and not as an S3 server does", "check the endpoint and any proxy")
        case 412: of(.alreadyExists, "the object exists already")
        case 507: of(.exhausted, "\(place) is full")
        case 300..<400: of(.protocolViolation, "\(place) answers with a redirect", "check the endpoint")
        case 408, 425, 429: of(.unavailable, "\(place) asks for fewer requests")
        case 500...: of(.unavailable, "\(place) does not work properly now")
        default: of(.failed, "\(place) refuses the request")
        }
    }

    private var wrongRegion: FleetError {
        of(
            .configuration, "\(place) is in another region" + (named.map { ": \($0)" } ?? ""),
            named.map { "set region to \($0), and leave endpoint out or make it that region's" }
                ?? "set region, and endpoint where there is one, to the bucket's")
    }

    private func skewed(_ skew: Duration?) -> FleetError {
        var message = "the clocks of this machine and of \(place) differ too much"
        if let skew {
            // More precise than the answer's travel is not known.
            let minutes = max(1, Int64((abs(skew.seconds) / 60).rounded()))
            let amount = DurationText.text(.seconds(minutes * 60))
            message = "this machine's clock is \(amount) \(skew > .zero ? "behind" : "ahead of") that of \(place)"
        }
        return of(.denied, message, "set the clock (NTP); S3 refuses what is signed more than 15 minutes off")
    }

    private func of(_ code: FleetError.Code, _ message: String, _ hint: String? = nil) -> FleetError {
        FleetError(code, message, cause: cause, hint: hint)
    }
}
