internal import CLibPQ
import FleetPluginAPI

/// How far a base backup's conversation has come.
enum BaseBackupPhase {
    case starting
    case listing
    /// Servers from 15 on: everything in one copy.
    case opening, copying
    /// Servers before 15: one copy for each archive, then one for the manifest, where one was asked for.
    case openingLegacy([BaseBackupTablespace], manifest: Bool)
    case copyingLegacy([BaseBackupTablespace], manifest: Bool)
    case ending
    /// The end was announced; an error may still follow (checksum failures do).
    case confirming(lsn: LSN, timeline: TimelineID)
    case finished
}

/// The events of one base backup. Bytes are fetched from the server only when the next event is asked for.
public struct BaseBackupStream: AsyncSequence, Sendable {
    let connection: ReplicationConnection
    let options: BaseBackupOptions

    public struct AsyncIterator: AsyncIteratorProtocol {
        let connection: ReplicationConnection
        let options: BaseBackupOptions

        /// Nil after `finished`.
        public mutating func next() async throws -> BaseBackupEvent? {
            try await connection.nextBackupEvent(options)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(connection: connection, options: options)
    }
}

extension ReplicationConnection {
    /// Starts a base backup. The stream's error is the backup's: `corrupted` when the server found page checksums that
    /// are wrong, `timedOut` when it was silent for longer than the options allow, `unavailable`, `cancelled`, ….
    public func baseBackup(_ options: BaseBackupOptions) async throws -> BaseBackupStream {
        try await session.exclusively(backupActivity) {
            let command = options.command(serverVersion: session.serverVersion)
            try await session.sendCommand(command, until: .now + options.stallLimit, backupActivity)
            backup = .starting
        }
        return BaseBackupStream(connection: self, options: options)
    }

    private var backupActivity: String { "base backup from \(session.place)" }

    func nextBackupEvent(_ options: BaseBackupOptions) async throws -> BaseBackupEvent? {
        try await session.exclusively(backupActivity) {
            while let phase = backup {
                if case .finished = phase { break }
                if let event = try await advance(phase, options) { return event }
            }
            return nil
        }
    }

    /// One step of the conversation; nil when it brought nothing to tell.
    private func advance(_ phase: BaseBackupPhase, _ options: BaseBackupOptions) async throws -> BaseBackupEvent? {
        switch phase {
        case .starting:
            let (lsn, timeline) = try await position(within: options.startLimit)
            backup = .listing
            return .started(lsn: lsn, timeline: timeline)
        case .listing:
            let list = try await tablespaces(within: options.stallLimit)
            backup =
                session.serverVersion >= 150_000
                ? .opening : .openingLegacy(list, manifest: options.manifestChecksums != nil)
            return .tablespaces(list)
        case .opening:
            _ = try await result(PGRES_COPY_OUT, within: options.stallLimit)
            backup = .copying
            return nil
        case .copying:
            let event = try await unsafe session.nextCopyMessage(until: .now + options.stallLimit, backupActivity) {
                try unsafe BaseBackupMessage.decode($0)
            }
            if event == nil { backup = .ending }
            return event
        case .openingLegacy(let left, let manifest):
            return try await openLegacy(left, manifest: manifest, options)
        case .copyingLegacy(let left, let manifest):
            let bytes = try await unsafe session.nextCopyMessage(until: .now + options.stallLimit, backupActivity) {
                unsafe [UInt8]($0)
            }
            if bytes == nil { backup = .openingLegacy(left, manifest: manifest) }
            return bytes.map { .data($0) }
        case .ending:
            // Waiting for the archiver, where asked for, happens here.
            let (lsn, timeline) = try await position(within: max(options.startLimit, options.stallLimit))
            backup = .confirming(lsn: lsn, timeline: timeline)
            return nil
        case .confirming(let lsn, let timeline):
            _ = try await result(PGRES_COMMAND_OK, within: options.stallLimit)
            while try await session.nextResult(until: .now + options.stallLimit, backupActivity) != nil {}
            backup = .finished
            return .finished(lsn: lsn, timeline: timeline)
        case .finished:
            return nil
        }
    }

    private func openLegacy(
        _ left: [BaseBackupTablespace], manifest: Bool, _ options: BaseBackupOptions
    ) async throws -> BaseBackupEvent? {
        guard let next = left.first else {
            guard manifest else {
                backup = .ending
                return nil
            }
            _ = try await result(PGRES_COPY_OUT, within: options.stallLimit)
            backup = .copyingLegacy([], manifest: false)
            return .manifest
        }
        _ = try await result(PGRES_COPY_OUT, within: options.stallLimit)
        backup = .copyingLegacy(Array(left.dropFirst()), manifest: manifest)
        return .archive(name: next.archiveName, tablespacePath: next.path)
    }

    private func result(_ status: ExecStatusType, within limit: Duration) async throws -> LibPQResult {
        do {
            return try await session.expect(status, until: .now + limit, backupActivity)
        } catch {
            backup = .finished
            throw error
        }
    }

    private func position(within limit: Duration) async throws -> (LSN, TimelineID) {
        let result = try await result(PGRES_TUPLES_OK, within: limit)
        guard let lsn = result.text(0, 0).flatMap({ LSN($0) }),
            let timeline = result.text(0, 1).flatMap({ TimelineID($0) })
        else { throw FleetError(.protocolViolation, backupActivity, cause: "the server sent no position") }
        return (lsn, timeline)
    }

    private func tablespaces(within limit: Duration) async throws -> [BaseBackupTablespace] {
        let result = try await result(PGRES_TUPLES_OK, within: limit)
        return (0..<result.rowCount).map { row in
            BaseBackupTablespace(
                oid: result.text(row, 0).flatMap { UInt32($0) }, path: result.text(row, 1),
                sizeKiB: result.text(row, 2).flatMap { Int64($0) })
        }
    }
}
