import FleetPluginAPI
public import HTTPClient

/// Talks to one API server.
///
/// Objects are JSON values, so that members this program knows nothing of survive. Every call throws `denied` (with
/// what must be granted), `unavailable`, `timedOut`, `protocolViolation` and `CancellationError` beside what it names
/// itself. What is safe to repeat is repeated when the server is busy or cannot be reached for a moment.
public final class KubernetesClient: Sendable {
    public let configuration: KubernetesConfiguration
    let options: Options
    let connector: Connector
    let limit: RequestLimit
    let discovery = Discovery()

    public struct Options: Sendable {
        /// Requests on their way at the same time; more wait for their turn. Watches, logs and the like do not count.
        public var requestsInFlight: Int
        /// For one attempt of one request.
        public var deadline: Duration
        public var retry: RetryPolicy
        /// Bytes of one answer that are accepted.
        public var responseLimit: Int64

        public init(
            requestsInFlight: Int = 32, deadline: Duration = .seconds(30), retry: RetryPolicy = RetryPolicy(),
            responseLimit: Int64 = 256 << 20
        ) {
            self.requestsInFlight = requestsInFlight
            self.deadline = deadline
            self.retry = retry
            self.responseLimit = responseLimit
        }
    }

    /// Nothing is sent yet.
    ///
    /// - Throws: `refused` where credentials would go out in the clear.
    public init(_ configuration: KubernetesConfiguration, options: Options = Options()) throws {
        try configuration.checkServer()
        self.configuration = configuration
        self.options = options
        connector = Connector(configuration)
        limit = RequestLimit(options.requestsInFlight)
    }
}
