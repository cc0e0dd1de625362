internal import CLibPQ
public import FleetPluginAPI

extension ReplicationConnection {
    /// Starts streaming. Begin at a segment's first byte if the segments are to be kept whole.
    ///
    /// Without a slot nothing changes on the server.
    ///
    /// - Throws: `notFound` when the server has removed that WAL or has no such slot, `conflict` when the slot is in
    ///   use, `refused` when the position lies beyond what was written.
    public func startWAL(
        from start: LSN, timeline: TimelineID, slot: String? = nil, deadline: ContinuousClock.Instant
    ) async throws {
        let activity = "streaming WAL from \(start) on timeline \(timeline) at \(session.place)"
        let slot = slot.map { "SLOT \(SQLText.identifier($0)) " } ?? ""
        try await session.exclusively(activity) {
            try await session.sendCommand(
                "START_REPLICATION \(slot)PHYSICAL \(start) TIMELINE \(timeline)", until: deadline, activity)
            guard let first = try await session.nextResult(until: deadline, activity) else {
                throw FleetError(.protocolViolation, activity, cause: "the answer is empty")
            }
            if first.status != PGRES_COPY_BOTH {
                // Nothing to send: the timeline ends exactly here.
                endOfWAL = try await endOfStream(first, deadline)
            }
            isStreaming = true
        }
    }

    /// The next message. After `endOfTimeline` the connection takes other commands again.
    ///
    /// Nothing is acknowledged here: call `sendStatus` whenever a keepalive asks for it and well within the server's
    /// `wal_sender_timeout`.
    public func nextWAL(deadline: ContinuousClock.Instant) async throws -> WALMessage {
        try await session.exclusively(walActivity) {
            guard isStreaming else { throw FleetError(.usage, walActivity, cause: "no stream was started") }
            if let end = endOfWAL {
                (isStreaming, endOfWAL) = (false, nil)
                return end
            }
            let message = try await unsafe session.nextCopyMessage(until: deadline, walActivity) {
                try unsafe WALMessage.decode($0)
            }
            if let message { return message }
            isStreaming = false
            return try await endOfStream(nil, deadline)
        }
    }

    /// Tells the server how far WAL was received. May be called while `nextWAL` waits.
    ///
    /// - Parameters:
    ///   - write: end of what was received.
    ///   - flush: end of what is durable: the server may remove WAL before it, and commits wait for it where this is a
    ///     synchronous standby.
    ///   - apply: end of what was replayed.
    ///   - replyRequested: ask for a keepalive.
    public func sendStatus(
        write: LSN, flush: LSN, apply: LSN = .zero, at now: Timestamp, replyRequested: Bool = false
    ) throws {
        guard isStreaming else { throw FleetError(.usage, walActivity, cause: "no stream was started") }
        try session.putCopyMessage(
            WALMessage.status(write: write, flush: flush, apply: apply, at: now, replyRequested: replyRequested),
            walActivity)
    }

    /// Ends the stream from this side; what is still on its way is thrown away.
    public func stopWAL(deadline: ContinuousClock.Instant) async throws {
        try await session.exclusively(walActivity) {
            guard isStreaming else { return }
            isStreaming = false
            if endOfWAL.take() != nil { return }
            try await session.endCopy(until: deadline, walActivity)
            while try await unsafe session.nextCopyMessage(until: deadline, walActivity, { _ in true }) != nil {}
            while let result = try await session.nextResult(until: deadline, walActivity) {
                guard result.status == PGRES_FATAL_ERROR else { continue }
                throw try await session.failure(result, until: deadline, walActivity)
            }
        }
    }

    private var walActivity: String { "streaming WAL from \(session.place)" }

    /// Answers the server's end of the copy and reads why it ended; `first` is a result that was read already.
    private func endOfStream(
        _ first: LibPQResult?, _ deadline: ContinuousClock.Instant
    ) async throws -> WALMessage {
        var message = WALMessage.end
        var hasEnded = false
        var next = first
        if next == nil { next = try await session.nextResult(until: deadline, walActivity) }
        while let result = next {
            switch result.status {
            case PGRES_COPY_IN where !hasEnded:
                hasEnded = true
                try await session.endCopy(until: deadline, walActivity)
            case PGRES_TUPLES_OK:
                guard let timeline = result.text(0, 0).flatMap({ TimelineID($0) }),
                    let start = result.text(0, 1).flatMap({ LSN($0) })
                else { throw FleetError(.protocolViolation, walActivity, cause: "no next timeline was sent") }
                message = .endOfTimeline(next: timeline, start: start)
            case PGRES_COMMAND_OK where !hasEnded && first == nil:
                // The end of a copy without CopyDone: the server shuts down, and closes the connection next.
                session.close()
                return .end
            case PGRES_COMMAND_OK: break
            case PGRES_FATAL_ERROR: throw try await session.failure(result, until: deadline, walActivity)
            default:
                session.close()
                throw FleetError(
                    .protocolViolation, walActivity, cause: "unexpected answer \(result.status.rawValue)")
            }
            next = try await session.nextResult(until: deadline, walActivity)
        }
        return message
    }
}
