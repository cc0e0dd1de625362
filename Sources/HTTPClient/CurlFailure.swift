import CLibCurl
import FleetPluginAPI

/// What libcurl's codes mean to a caller (libcurl-errors(3)).
enum CurlFailure {
    static func error(_ code: CURLcode, _ request: HTTPRequest, cause: String) -> FleetError {
        let (kind, what, hint) = meaning(of: code)
        return FleetError(kind, "\(request): \(what)", cause: redacted(cause, request), hint: hint)
    }

    private static func meaning(of code: CURLcode) -> (FleetError.Code, String, String?) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: (.unavailable, "the host's name is not known", "check the URL and the DNS")
        case CURLE_COULDNT_RESOLVE_PROXY:
            (.unavailable, "the proxy's name is not known", "check http_proxy, https_proxy")
        case CURLE_COULDNT_CONNECT:
            (.unavailable, "cannot connect", "check that the server runs and that nothing between blocks the port")
        case CURLE_OPERATION_TIMEDOUT: (.timedOut, "no complete answer in time", nil)
        case CURLE_PEER_FAILED_VERIFICATION:
            (
                .denied, "the server's certificate is not trusted",
                "check that the name is the certificate's, that it has not expired, and give its authority (CA)"
            )
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
            (.denied, "no secure connection", "check that the port speaks TLS 1.2 or later and wants this certificate")
        case CURLE_SSL_CERTPROBLEM: (.configuration, "the client certificate or its key cannot be used", nil)
        case CURLE_SSL_CACERT_BADFILE: (.configuration, "the certificate authorities cannot be read", nil)
        case CURLE_PARTIAL_FILE: (.unavailable, "the answer ended early", nil)
        case CURLE_GOT_NOTHING: (.unavailable, "the server hung up without an answer", nil)
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND: (.unavailable, "the connection broke", nil)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL:
            (.protocolViolation, "the server does not speak HTTP here", "check the port and the URL's scheme")
        case CURLE_TOO_MANY_REDIRECTS: (.protocolViolation, "too many redirects", nil)
        case CURLE_URL_MALFORMAT: (.usage, "the URL is malformed", nil)
        case CURLE_OUT_OF_MEMORY: (.exhausted, "no memory", nil)
        default: (.unavailable, "the transfer failed", nil)
        }
    }

    /// libcurl's text, should it ever contain the URL, without what the URL hides.
    private static func redacted(_ text: String, _ request: HTTPRequest) -> String {
        guard text.contains(request.url) || request.hidesPath else {
            guard let query = request.url.utf8.firstIndex(of: UInt8(ascii: "?")) else { return text }
            return replacing(String(request.url[query...]), in: text)
        }
        return replacing(request.url, in: text)
    }

    private static func replacing(_ secret: String, in text: String) -> String {
        guard !secret.isEmpty else { return text }
        return text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
    }
}
