import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// Receives WAL over the replication protocol and archives it as `wal-push` would.
///
/// The server keeps WAL for the receiver by a slot, and is told that a segment is safe once every repository has it
/// durably: whenever the receiver dies, it goes on where that ended. It follows the server to its next timeline, waits
/// while the server is down or in recovery, and while a repository cannot be written.
struct WALReceiver: Sendable {
    let repositories: [EngineContext.Repository]
    let instance: String
    let slot: String
    /// Ends a segment that holds something after so long; nil for never.
    let switchAfter: Duration?
    let resolve: SecretResolver
    let endpoint: @Sendable () async throws -> Endpoint
    let log: @Sendable (String) -> Void

    /// Between two attempts: the shortest, and the longest.
    private static let pauses = (first: Duration.seconds(1), longest: Duration.seconds(15))

    /// Until it is cancelled.
    func run() async {
        var pause = Self.pauses.first
        var told = ""
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            do {
                try await session()
                // The server ended the stream in good order: it shuts down.
                pause = Self.pauses.first
            } catch {
                if Task.isCancelled { return }
                let failure = FleetError(error, "receiving WAL of \(instance) was interrupted")
                // The same fault again and again is told once.
                if failure.description != told { log(failure.description) }
                told = failure.description
                if failure.code == .refused || failure.code == .unsupported { pause = Self.pauses.longest }
            }
            if ContinuousClock.now - begin > .seconds(60) { (pause, told) = (Self.pauses.first, "") }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Self.pauses.longest)
        }
    }

    /// One connection, from finding out where to go on until it ends.
    private func session() async throws {
        var endpoint = try await endpoint()
        let password = try await endpoint.password.resolved(resolve)
        endpoint.password = nil
        let parameters = ConnectionParameters(endpoint, password: password)
        let deadline = ContinuousClock.now + .seconds(30)
        let control = try await SlotControl.connect(parameters, slot: slot, deadline: deadline)
        do {
            let stream = try await ReplicationConnection.connect(parameters, deadline: deadline)
            do {
                try await receive(stream, control)
            } catch {
                await stream.close()
                throw error
            }
            await stream.close()
        } catch {
            await control.close()
            throw error
        }
        await control.close()
    }

    private func receive(_ stream: ReplicationConnection, _ control: SlotControl) async throws {
        let identity = try await stream.identifySystem(deadline: .now + .seconds(30))
        let segmentSize = try await control.requirePrimary()
        let reserved = try await control.reserve(log)
        let archives = try await archives(identity.systemIdentifier)
        func keepHistory(of timeline: TimelineID) async throws {
            for archive in archives {
                try await HistoryKeeper(instance: archive, system: identity.systemIdentifier)
                    .keep(timeline, from: stream)
            }
        }
        try await keepHistory(of: identity.timeline)
        let history = try await history(of: identity.timeline, stream)
        var place = try await ReceivePlace.find(
            along: history, in: archives, identity.systemIdentifier, segmentSize: segmentSize, reserved: reserved)
        let session = ReceiveSession(
            stream: stream, control: control, segmentSize: segmentSize,
            archives: archives, slot: slot, switchAfter: switchAfter, log: log)
        while true {
            do {
                guard let next = try await session.stream(from: place) else { return }
                try await keepHistory(of: next.timeline)
                place = next
            } catch let error as FleetError where error.code == .notFound {
                // The server has removed what comes next: there is a hole now, and waiting does not close it.
                let fallback = ReceivePlace(
                    timeline: identity.timeline, containing: reserved, segmentSize: segmentSize)
                guard place != fallback, session.received <= place.start else { throw error }
                log(
                    "WAL from \(place.start) on timeline \(place.timeline) is no longer on the server: there is a hole in "
                        + "the archive of \(instance) up to \(fallback.start); make a backup now. \(error)")
                place = fallback
            }
        }
    }

    private func history(of timeline: TimelineID, _ stream: ReplicationConnection) async throws -> TimelineHistory {
        guard timeline > 1 else { return TimelineHistory(timeline: 1) }
        let file = try await stream.timelineHistory(timeline, deadline: .now + .seconds(30))
        return try TimelineHistory(file: file.content, timeline: timeline)
    }

    /// - Throws: `unavailable` while a repository is not there: the first backup makes it.
    private func archives(_ system: SystemIdentifier) async throws -> [InstanceRepository] {
        var archives: [InstanceRepository] = []
        for repository in repositories {
            let found = try await Repository.open(repository, resolve).instance(instance)
            try await found.admitWriter(system)
            archives.append(found)
        }
        return archives
    }
}

/// Where receiving begins: always at a segment's first byte.
struct ReceivePlace: Hashable, Sendable {
    var timeline: TimelineID
    var start: LSN

    init(timeline: TimelineID, containing lsn: LSN, segmentSize: UInt64) {
        self.timeline = timeline
        start = LSN(lsn.rawValue / segmentSize * segmentSize)
    }

    /// After the newest segment that every repository has of the path to the present timeline; where there is none, at
    /// what the slot keeps.
    static func find(
        along history: TimelineHistory, in archives: [InstanceRepository], _ system: SystemIdentifier,
        segmentSize: UInt64, reserved: LSN
    ) async throws -> ReceivePlace {
        var places: [ReceivePlace] = []
        for archive in archives {
            let segments = try await archive.archivedFiles(of: system).filter { $0.kind == .segment }
                .compactMap { $0.segment(ofSize: segmentSize) }
            let newest = Dictionary(grouping: segments, by: \.timeline).compactMapValues { $0.map(\.end).max() }
            places.append(place(along: history, newest, segmentSize, reserved))
        }
        // The one that is the furthest behind decides; the others have those segments already.
        return places.min { $0.start < $1.start }
            ?? ReceivePlace(timeline: history.timeline, containing: reserved, segmentSize: segmentSize)
    }

    static func place(
        along history: TimelineHistory, _ newest: [TimelineID: LSN], _ segmentSize: UInt64, _ reserved: LSN
    ) -> ReceivePlace {
        let path = history.path
        for (index, span) in path.enumerated().reversed() {
            guard let end = newest[span.timeline] else { continue }
            // All of it up to where the next timeline left is there; the segment of the fork begins the next one.
            if let fork = span.end, end.rawValue / segmentSize >= fork.rawValue / segmentSize, index + 1 < path.count {
                return ReceivePlace(timeline: path[index + 1].timeline, containing: fork, segmentSize: segmentSize)
            }
            return ReceivePlace(timeline: span.timeline, containing: end, segmentSize: segmentSize)
        }
        return ReceivePlace(timeline: history.timeline, containing: reserved, segmentSize: segmentSize)
    }
}
