import FleetPluginAPI
import Synchronization

/// The keys, read from where they are kept; again from time to time, because temporary ones are replaced there.
final class S3Credentials: Sendable {
    private let accessKey: SecretReference
    private let secretKey: SecretReference
    private let sessionToken: SecretReference?
    private let resolve: SecretResolver
    private let known = Mutex<(keys: S3Keys, readAt: ContinuousClock.Instant)?>(nil)

    static let lifetime = Duration.seconds(30)

    init(_ settings: S3Settings, resolve: @escaping SecretResolver) {
        accessKey = settings.accessKey
        secretKey = settings.secretKey
        sessionToken = settings.sessionToken
        self.resolve = resolve
    }

    /// - Throws: `configuration` that names the reference.
    func current() async throws -> S3Keys {
        let known = known.withLock { $0 }
        if let known, ContinuousClock.now - known.readAt < Self.lifetime { return known.keys }
        return try await read()
    }

    /// Reads them now; nil when they are still those that were refused.
    func replacement(for refused: S3Keys) async throws -> S3Keys? {
        let keys = try await read()
        return keys.isSame(as: refused) ? nil : keys
    }

    private func read() async throws -> S3Keys {
        let token = try await sessionToken.resolved(value)
        let keys = S3Keys(
            accessKey: try await value(accessKey), secretKey: try await value(secretKey), sessionToken: token)
        known.withLock { $0 = (keys, .now) }
        return keys
    }

    private func value(_ reference: SecretReference) async throws -> Secret {
        let secret = try await resolve(reference)
        // In a header, anything else would be an error that quotes it, or worse none.
        let isUsable = secret.reveal { !$0.isEmpty && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        guard isUsable else {
            throw FleetError(.configuration, "the secret \(reference) is empty or has characters that no S3 key has")
        }
        return secret
    }
}
