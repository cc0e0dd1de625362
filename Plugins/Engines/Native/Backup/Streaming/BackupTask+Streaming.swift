import FleetPluginAPI
import PostgresClient
import PostgresFormats

extension BackupTask {
    /// Takes what the server sends: of an incremental backup only what has changed, where the server knows that.
    func stream(
        _ connection: ReplicationConnection, _ writer: inout ChunkWriter, _ meter: ProgressMeter
    ) async throws -> ReceivedBackup {
        if let base, server.summarizesWAL, base.knowsChecksums,
            let incremental = try await beginIncremental(to: base)
        {
            do {
                let received = try await receive(incremental.stream, meter, changesTo: base, &writer)
                await incremental.connection.close()
                return received
            } catch {
                await incremental.connection.close()
                throw error
            }
        }
        return try await receive(connection.baseBackup(options), meter, changesTo: nil, &writer)
    }

    private var options: BaseBackupOptions {
        BaseBackupOptions(
            label: label, fastCheckpoint: true, waitsForArchive: false, maxRateKiB: request.rate.map { Int($0 >> 10) },
            manifestChecksums: .crc32c, tablespaceMap: false, verifyChecksums: true)
    }

    /// Asks the server for what has changed since the base, on a connection of its own; nil where it cannot tell.
    private func beginIncremental(
        to base: BackupBase
    ) async throws -> (connection: ReplicationConnection, stream: StartedBackup)? {
        let connection = try await ReplicationConnection.connect(parameters, deadline: .now + .seconds(30))
        do {
            try await connection.uploadManifest(base.manifest.serverManifest, deadline: .now + .seconds(300))
            var options = options
            options.isIncremental = true
            // An error comes before anything else: the server has looked for its summaries by then.
            var events = try await connection.baseBackup(options).makeAsyncIterator()
            let first = try await events.next()
            context.log("the server sends what has changed since \(base.record.label)")
            return (connection, StartedBackup(first: first, rest: events))
        } catch let error as FleetError where ![.unavailable, .timedOut, .cancelled].contains(error.code) {
            await connection.close()
            context.log("the server cannot tell what has changed since \(base.record.label): \(error)")
            return nil
        } catch {
            await connection.close()
            throw error
        }
    }

    private func receive(
        _ stream: BaseBackupStream, _ meter: ProgressMeter, changesTo base: BackupBase?, _ writer: inout ChunkWriter
    ) async throws -> ReceivedBackup {
        try await receive(
            StartedBackup(first: nil, rest: stream.makeAsyncIterator()), meter, changesTo: base, &writer)
    }

    /// - Parameter changed: what the server sends changes to; nil when it sends everything.
    private func receive(
        _ stream: StartedBackup, _ meter: ProgressMeter, changesTo changed: BackupBase?, _ writer: inout ChunkWriter
    ) async throws -> ReceivedBackup {
        var receiver = BackupReceiver(
            base: base, chunks: changed.map { ChunkReader(instance: instance, packs: $0.manifest.packs) }, meter: meter)
        var stream = stream
        while let event = try await stream.next() {
            try await receiver.take(event, &writer)
            try await claim.refresh()
        }
        return try await receiver.finish(&writer)
    }
}

/// The events of a backup whose first one has been looked at.
private struct StartedBackup {
    var first: BaseBackupEvent?
    var rest: BaseBackupStream.AsyncIterator

    mutating func next() async throws -> BaseBackupEvent? {
        if let event = first.take() { return event }
        return try await rest.next()
    }
}
