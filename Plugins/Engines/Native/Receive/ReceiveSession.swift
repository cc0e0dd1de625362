import FleetPluginAPI
import PostgresClient
import PostgresFormats
import Synchronization

/// One stream: bytes become segments, segments become archived files, and the server hears of those.
final class ReceiveSession: Sendable {
    private let stream: ReplicationConnection
    private let control: SlotControl
    private let segmentSize: UInt64
    private let archives: [InstanceRepository]
    private let slot: String
    private let switchAfter: Duration?
    private let log: @Sendable (String) -> Void
    private let positions = Mutex(Positions())

    private struct Positions {
        /// End of what was received.
        var received = LSN.zero
        /// When something came that is in no stored segment yet; nil while there is nothing.
        var pendingSince: ContinuousClock.Instant?
        var maySwitch = true
        /// Why a segment could not be stored; ends the session, which begins again with that segment.
        var failure: FleetError?
    }

    /// Well within `wal_sender_timeout`, whose default is a minute.
    private static let statusInterval = Duration.seconds(5)

    init(
        stream: ReplicationConnection, control: SlotControl, segmentSize: UInt64,
        archives: [InstanceRepository], slot: String, switchAfter: Duration?,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.stream = stream
        self.control = control
        self.segmentSize = segmentSize
        self.archives = archives
        self.slot = slot
        self.switchAfter = switchAfter
        self.log = log
    }

    /// End of what has come so far; zero before anything has.
    var received: LSN { positions.withLock { $0.received } }

    /// Receives a timeline to its end.
    ///
    /// - Returns: where to go on; nil when the server shuts down.
    func stream(from place: ReceivePlace) async throws -> ReceivePlace? {
        try await stream.startWAL(
            from: place.start, timeline: place.timeline, slot: slot, deadline: .now + .seconds(30))
        positions.withLock { $0.received = max($0.received, place.start) }
        return try await withThrowingTaskGroup(of: ReceivePlace??.self) { group in
            group.addTask { .some(try await self.receive(place)) }
            group.addTask {
                try await self.keepTelling()
                return .none
            }
            defer { group.cancelAll() }
            while let ending = try await group.next() {
                if let ending { return ending }
            }
            return nil
        }
    }

    private func receive(_ place: ReceivePlace) async throws -> ReceivePlace? {
        var segment = WALSegmentName(timeline: place.timeline, containing: place.start, segmentSize: segmentSize)
        var buffer: [UInt8] = []
        buffer.reserveCapacity(Int(segmentSize))
        var isFirst = true
        // One is stored while the next comes in; never out of order, so that a crash leaves no hole.
        var storing: Task<Void, any Error>?
        defer { storing?.cancel() }
        while true {
            switch try await stream.nextWAL(deadline: .now + .seconds(600)) {
            case .data(let start, _, _, var bytes):
                guard start == segment.start + UInt64(buffer.count) else {
                    throw FleetError(
                        .protocolViolation,
                        "the server sent WAL at \(start) instead of "
                            + "\(segment.start + UInt64(buffer.count))")
                }
                if isFirst { log("receiving WAL from \(start) on timeline \(segment.timeline)") }
                isFirst = false
                note(received: start + UInt64(bytes.count))
                while buffer.count + bytes.count >= Int(segmentSize) {
                    let part = Int(segmentSize) - buffer.count
                    buffer += bytes[..<part]
                    bytes.removeFirst(part)
                    try await storing?.valueWithCancellation
                    storing = store(buffer, as: segment)
                    buffer.removeAll(keepingCapacity: true)
                    segment = WALSegmentName(
                        timeline: segment.timeline, number: segment.number + 1, segmentSize: segmentSize)
                }
                buffer += bytes
            case .keepalive(_, _, let replyRequested):
                if replyRequested { try await tell() }
            case .endOfTimeline(let next, let start):
                try await storing?.valueWithCancellation
                log("timeline \(place.timeline) ends at \(start), timeline \(next) follows")
                if !buffer.isEmpty { try await storePartial(buffer, of: segment) }
                return ReceivePlace(timeline: next, containing: start, segmentSize: segmentSize)
            case .end:
                try await storing?.valueWithCancellation
                return nil
            }
        }
    }

    private func note(received lsn: LSN) {
        positions.withLock { positions in
            positions.received = lsn
            positions.pendingSince = positions.pendingSince ?? .now
        }
    }

    private func store(_ bytes: [UInt8], as segment: WALSegmentName) -> Task<Void, any Error> {
        // What comes after this segment waits from now on.
        positions.withLock { $0.pendingSince = $0.received > segment.end ? .now : nil }
        return Task(executorPreference: Workers.executor) {
            do {
                let file = try await ArchivableFile.make(
                    WALFileName(segment), bytes, "\(segment) as the server sent it")
                try await WALPush.store(file, in: self.archives, self.log)
            } catch {
                // Seen at once, and not only when the next segment is full.
                self.positions.withLock { $0.failure = FleetError(error, "\(segment) cannot be stored") }
                throw error
            }
            try await self.tell(flush: segment.end)
            // A flush position that lags would hold up the server's shutdown, which waits for what it has sent: without
            // one it goes by what was received. The slot keeps what it was told.
            try await self.tell()
        }
    }

    /// The end of a timeline that was left, as the server itself would archive it.
    private func storePartial(_ bytes: [UInt8], of segment: WALSegmentName) async throws {
        guard let name = WALFileName("\(segment).partial") else { return }
        let whole = bytes + [UInt8](repeating: 0, count: Int(segmentSize) - bytes.count)
        let file = try await ArchivableFile.make(name, whole, "\(segment) as the server sent it")
        try await WALPush.store(file, in: archives, log)
    }

    private func tell(flush: LSN = .zero) async throws {
        do {
            try await stream.sendStatus(write: received, flush: flush, at: .now)
        } catch let error as FleetError where error.code == .usage {
            // The stream has just ended: the next one tells it.
        }
    }

    /// Tells the server that the receiver lives, and ends segments that have waited long enough.
    private func keepTelling() async throws {
        while true {
            try await Task.sleep(for: min(Self.statusInterval, switchAfter ?? Self.statusInterval))
            if let failure = positions.withLock({ $0.failure }) { throw failure }
            try await tell()
            guard let switchAfter else { continue }
            let isDue = positions.withLock { positions in
                positions.maySwitch && positions.pendingSince.map { .now - $0 >= switchAfter } ?? false
            }
            guard isDue else { continue }
            positions.withLock { $0.pendingSince = nil }
            if try await control.switchSegment() { continue }
            positions.withLock { $0.maySwitch = false }
            log(
                "segments are archived when they are full: the role may not call pg_switch_wal(), so idle hours may be lost"
            )
        }
    }
}
