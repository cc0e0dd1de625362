internal import CLibPQ
import FleetPluginAPI

extension ReplicationConnection {
    /// Gives the server the manifest of an older backup of its own: the next base backup on this connection can then be
    /// incremental to it (PostgreSQL 17 and later).
    ///
    /// - Throws: the server's refusal of the manifest, as `PostgresConnection` has errors.
    public func uploadManifest(_ manifest: [UInt8], deadline: ContinuousClock.Instant) async throws {
        let activity = "UPLOAD_MANIFEST at \(session.place)"
        try await session.exclusively(activity) {
            try await session.sendCommand("UPLOAD_MANIFEST", until: deadline, activity)
            _ = try await session.expect(PGRES_COPY_IN, until: deadline, activity)
            for start in stride(from: 0, to: manifest.count, by: Self.messageSize) {
                let message = Array(manifest[start..<min(start + Self.messageSize, manifest.count)])
                try session.putCopyMessage(message, activity)
                try await session.flush(until: deadline, activity)
            }
            try await session.endCopy(until: deadline, activity)
            _ = try await session.expect(PGRES_COMMAND_OK, until: deadline, activity)
            while try await session.nextResult(until: deadline, activity) != nil {}
        }
    }

    private static let messageSize = 64 << 10
}
