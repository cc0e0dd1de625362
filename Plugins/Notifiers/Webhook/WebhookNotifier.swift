public import FleetPluginAPI
import FoundationEssentials
import HTTPClient

/// Posts every notice as JSON to a URL. Tries again while the failure may pass, for a short time in all: a run does
/// not wait for a chat server.
public struct WebhookNotifier: Notifier {
    private let url: URL
    private let header: String
    private let secret: SecretReference?
    private let timeout: Duration
    private let events: Set<Notice.Event>
    private let resolve: SecretResolver
    private let session: HTTPSession

    private enum URL {
        case plain(String)
        /// Where knowing the URL is all that it takes to post.
        case secret(SecretReference)
    }

    public static let descriptor = PluginDescriptor(
        role: .notifier, name: "webhook", version: "1.0.0",
        summary: "Posts each notice as JSON to a URL.",
        options: [
            OptionSpec("url", .url, help: "Where to post to. Either this or urlSecret."),
            OptionSpec("urlSecret", .secret, help: "The URL where it is a secret itself, as chat services have it."),
            OptionSpec(
                "header", .string, default: "Authorization",
                help: "The name of the header that carries the secret."),
            OptionSpec(
                "secret", .secret, help: "The value of that header, in full: `Bearer …`. Without it: no header."),
            OptionSpec(
                "timeout", .duration, default: "15s", help: "How long a delivery may take, repetitions included."),
            OptionSpec("authority", .path, help: "Certificate authorities to trust instead of the system's, PEM."),
            Notice.Event.option,
        ])

    public init(_ context: PluginContext, _ options: PluginOptions) throws {
        switch (options.string("url"), options.secret("urlSecret")) {
        case (let url?, nil): self.url = .plain(url)
        case (nil, let reference?): url = .secret(reference)
        default:
            throw FleetError(
                .configuration, "the notifier \(context.name) has no URL, or two", hint: "give url or urlSecret")
        }
        header = options.string("header") ?? "Authorization"
        secret = options.secret("secret")
        timeout = options.duration("timeout") ?? .seconds(15)
        events = try Notice.Event.selected(by: options)
        resolve = context.resolve
        session = HTTPSession(.init(tls: .init(authorityFile: options.string("authority"))))
    }

    public func notify(_ notice: Notice) async throws {
        guard events.contains(notice.event) else { return }
        let request = try await request(for: notice)
        let policy = RetryPolicy(
            attempts: 4, firstPause: .milliseconds(250), longestPause: .seconds(4), budget: timeout)
        let result = try await withDeadline(request) { try await session.fetch(request, retrying: policy) }
        guard !result.isSuccess else { return }
        let code: FleetError.Code =
            switch result.status {
            case 401, 403: .denied
            case 404, 410: .notFound
            case 400..<500: .failed
            default: .unavailable
            }
        // Not what the server says: it may repeat what it was sent.
        throw FleetError(code, "\(request) answered with status \(result.status)")
    }

    private func request(for notice: Notice) async throws -> HTTPRequest {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var request = HTTPRequest(
            .post, "", headers: ["Content-Type": "application/json"], body: .bytes([UInt8](try encoder.encode(notice))),
            deadline: timeout, connectTimeout: min(timeout, .seconds(5)), responseLimit: 1 << 20)
        switch url {
        case .plain(let url): request.url = url
        case .secret(let reference):
            request.url = try await resolve(reference).reveal { $0 }
            request.hidesPath = true
        }
        if let secret { request.secretHeaders[header] = try await resolve(secret) }
        // Repeated deliveries can be told from new ones.
        request.headers["Fleet-Delivery"] = String(UInt64.random(in: .min ... .max), radix: 36)
        request.isIdempotent = true
        return request
    }

    /// The time of all attempts together.
    private func withDeadline(
        _ request: HTTPRequest, _ work: @escaping @Sendable () async throws -> HTTPResult
    ) async throws -> HTTPResult {
        try await withThrowingTaskGroup(of: HTTPResult?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            if let result = try await group.next() ?? nil { return result }
            throw FleetError(.timedOut, "\(request) was not delivered within \(DurationText.text(timeout))")
        }
    }
}
