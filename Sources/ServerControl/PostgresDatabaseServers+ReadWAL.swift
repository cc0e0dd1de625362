public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    /// Uses no slot and acknowledges nothing, so that the server keeps and waits for nothing on its account.
    ///
    /// - Throws: `notFound` when the server has removed that WAL already.
    public func readWAL(
        from start: LSN, timeline: TimelineID, at endpoint: Endpoint, deadline: Duration,
        _ receive: (_ position: LSN, _ bytes: [UInt8]) throws -> Void
    ) async throws {
        let end = Deadline.now + deadline
        let connection = try await ReplicationConnection.connect(await parameters(endpoint), deadline: end)
        do {
            try await read(from: start, timeline: timeline, connection, until: end, receive)
        } catch {
            await connection.close()
            throw FleetError(error, "reading WAL from \(start)")
        }
        await connection.close()
    }

    private func read(
        from start: LSN, timeline: TimelineID, _ connection: ReplicationConnection, until deadline: Deadline,
        _ receive: (_ position: LSN, _ bytes: [UInt8]) throws -> Void
    ) async throws {
        let identity = try await connection.identifySystem(deadline: deadline)
        // A timeline that history has left is read to its end, which the stream itself announces.
        let end = identity.timeline == timeline ? identity.flushed : LSN(.max)
        guard start < end else { return }
        try await connection.startWAL(from: start, timeline: timeline, deadline: deadline)
        var position = start
        while position < end {
            switch try await connection.nextWAL(deadline: deadline) {
            case .data(let at, _, _, let bytes):
                guard at == position else {
                    throw FleetError(
                        .protocolViolation, "reading WAL from \(start)", cause: "\(position) was expected, \(at) came")
                }
                try receive(at, bytes)
                position = position + UInt64(bytes.count)
            case .keepalive(_, let sentAt, let replyRequested):
                // An invalid flush position makes no synchronous standby of us (`syncrep.c`).
                if replyRequested { try await connection.sendStatus(write: position, flush: .zero, at: sentAt) }
            case .endOfTimeline:
                return
            case .end:
                throw FleetError(.unavailable, "reading WAL from \(start)", cause: "the server shut down")
            }
        }
    }
}
