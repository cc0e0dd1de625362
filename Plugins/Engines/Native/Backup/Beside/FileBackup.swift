import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// Makes a base backup by reading the files of a running server, on all cores.
struct FileBackup: Sendable {
    let server: ServerFacts
    let base: BackupBase?
    let instance: InstanceRepository
    let meter: ProgressMeter
    let limit: RateLimit?
    let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - directory: the data directory, absolute.
    ///   - refresh: called now and then while files are read.
    func run(
        _ directory: String, label: String, _ connection: PostgresConnection, _ writer: inout ChunkWriter,
        refresh: () async throws -> Void
    ) async throws -> ReceivedBackup {
        let session = try await BackupSession.begin(label, on: connection)
        let scan = try await Workers.run { try DataDirectoryScan(of: directory) }
        try check(scan.control, of: directory, session.startLSN)
        for remark in scan.remarks { log(remark) }
        meter.begin("copy", total: scan.size)
        let trust = try await trust(scan.control)
        let reader = FileStretchReader(trust: trust, verifies: scan.control.hasDataChecksums)

        var received = ReceivedBackup()
        received.startLSN = session.startLSN
        received.timeline = server.identity.timeline
        received.tablespaces = scan.tablespaces
        received.directories = scan.directories
        received.links = scan.links
        var batches = FileBatches(scan: scan, base: base, trust: trust)
        while let batch = batches.next(&received) {
            try await limit?.pass(batch.bytesRead)
            received.add(
                try await writer.add(reading: { [meter] in
                    let pieces = try batch.work.flatMap { try $0.pieces(reader) }
                    meter.add(batch.size)
                    return pieces
                }))
            try await refresh()
        }
        let place = scan.place(of: RestoreTarget.controlFile)
        let control = try await Workers.run { try ControlFileReader.wholeBytes(place) }
        if let index = received.files.firstIndex(where: { $0.path == RestoreTarget.controlFile }) {
            try await received.add(content: control, of: index, &writer)
        }
        let (stopLSN, backupLabel) = try await session.end()
        received.stopLSN = stopLSN
        received.stopTime = .now
        received.backupLabel = backupLabel
        received.files.append(
            .init(
                path: "backup_label", size: Int64(backupLabel.count), mode: 0o600,
                modified: Timestamp.now.wholeSeconds, crc32c: CRC32C().value,
                chunkChecksums: .init([])))
        try await received.add(content: backupLabel, of: received.files.count - 1, &writer)
        received.add(try await writer.finish())
        received.finish(writer)
        received.serverManifest = received.manifest(server).bytes
        return received
    }

    /// That the files are those of the server that answers, and not a copy of them.
    private func check(_ control: ControlFile, of directory: String, _ start: LSN) throws {
        guard control.systemIdentifier == server.identity.systemIdentifier, control.state == .inProduction,
            control.checkpoint.redo >= start
        else {
            throw FleetError(
                .refused, "\(directory) is not the data directory of the server that answers",
                cause:
                    "its pg_control is of the system \(control.systemIdentifier), \(control.state.description), with "
                    + "a checkpoint at \(control.checkpoint.redo); the server is \(server.identity.systemIdentifier) "
                    + "and has just made one at \(start)",
                hint: "look at the instance's platform: and connection: in fleet.yaml")
        }
    }

    private func trust(_ control: ControlFile) async throws -> BaseTrust? {
        guard let base else { return nil }
        let chunks = ChunkReader(instance: instance, packs: base.manifest.packs)
        let bytes = try await chunks.read(Array(base.chunks(of: RestoreTarget.controlFile))).flatMap { $0 }
        let trust = BaseTrust(
            base, control: control, baseControl: try ControlFile(bytes), timeline: server.identity.timeline)
        if trust == nil {
            log("\(base.record.label) is of another timeline or page format: all files are compared with it")
        }
        return trust
    }
}
