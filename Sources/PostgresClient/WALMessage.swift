public import FleetPluginAPI

/// What arrives while WAL is streamed.
public enum WALMessage: Hashable, Sendable {
    /// WAL from `start` on. `serverEnd` is how far the server has written.
    case data(start: LSN, serverEnd: LSN, sentAt: Timestamp, bytes: [UInt8])
    /// The server lives. Where `replyRequested`, it wants `sendStatus` at once.
    case keepalive(serverEnd: LSN, sentAt: Timestamp, replyRequested: Bool)
    /// The timeline ends; history goes on on the next one, from where it branched off.
    case endOfTimeline(next: TimelineID, start: LSN)
    /// The server shuts down and everything was sent and acknowledged. The connection is closed.
    case end
}

extension WALMessage {
    /// Decodes `w` and `k` (PostgreSQL manual, section 55.4, START_REPLICATION).
    static func decode(_ message: UnsafeRawBufferPointer) throws -> WALMessage {
        func number(_ offset: Int) -> UInt64 {
            unsafe UInt64(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        func time(_ offset: Int) -> Timestamp { Timestamp(postgres: Int64(bitPattern: number(offset))) }
        switch (unsafe message.first, message.count) {
        case (UInt8(ascii: "w"), 25...):
            let bytes = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: message[25...]))
            return .data(start: LSN(number(1)), serverEnd: LSN(number(9)), sentAt: time(17), bytes: bytes)
        case (UInt8(ascii: "k"), 18):
            return .keepalive(
                serverEnd: LSN(number(1)), sentAt: time(9), replyRequested: unsafe message[17] != 0)
        default:
            throw FleetError(
                .protocolViolation, "streaming WAL",
                cause: "the server sent a message of type \(unsafe message.first ?? 0) and "
                    + "\(message.count) bytes")
        }
    }

    /// Encodes `r`, the standby status update.
    static func status(
        write: LSN, flush: LSN, apply: LSN, at now: Timestamp, replyRequested: Bool
    ) -> [UInt8] {
        var message: [UInt8] = [UInt8(ascii: "r")]
        for value in [write.rawValue, flush.rawValue, apply.rawValue, UInt64(bitPattern: now.postgres)] {
            for shift in stride(from: 56, through: 0, by: -8) {
                message.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        message.append(replyRequested ? 1 : 0)
        return message
    }
}
