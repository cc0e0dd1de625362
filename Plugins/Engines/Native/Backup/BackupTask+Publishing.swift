import FleetPluginAPI
import PostgresClient
import PostgresFormats

extension BackupTask {
    /// Stores the manifest. Returns what publication will say.
    func store(_ received: ReceivedBackup) async throws -> BackupDocument {
        let manifest = Manifest(
            header: .init(
                instance: instance.keys.instance, label: label, systemIdentifier: server.identity.systemIdentifier,
                serverVersion: server.version, segmentSize: server.segmentSize, tablespaces: received.tablespaces),
            packs: received.packs, directories: received.directories, links: received.links, files: received.files,
            chunks: received.chunks, serverManifest: received.serverManifest, backupLabel: received.backupLabel)
        let (bytes, hash) = try await Workers.run {
            let bytes = try manifest.encoded()
            return (bytes, ContentHash(of: bytes))
        }
        try await instance.storage.put(instance.keys.manifest(label), bytes, condition: .absent)
        let stored = received.packs.filter { $0.label == label }.reduce(Int64(bytes.count)) { $0 + $1.size }
        let record = BackupRecord(
            label: label, kind: claim.kind, engine: NativeEngine.name, repository: instance.repository.name,
            systemIdentifier: server.identity.systemIdentifier, serverVersion: server.version,
            timeline: received.timeline, startLSN: received.startLSN, stopLSN: received.stopLSN,
            startTime: startTime, stopTime: received.stopTime, size: manifest.size, storedSize: stored,
            references: Set(received.packs.map(\.label)).subtracting([label] + unfinished.map(\.label)).sorted(),
            tablespaces: received.tablespaces)
        return BackupDocument(
            key: request.backup.key, record: record,
            manifest: .init(size: Int64(bytes.count), sha256: hash),
            statistics: .init(
                files: manifest.files.count, chunks: manifest.chunks.count, packs: manifest.packs.count,
                reusedChunks: received.reusedChunks))
    }

    /// Waits until every segment from start to stop is in the repository and readable as what it is.
    func awaitWAL(_ received: ReceivedBackup) async throws {
        let range = WALRange(
            timeline: received.timeline, start: received.startLSN, stop: received.stopLSN,
            segmentSize: server.segmentSize)
        let archive = ArchiveReader(instance: instance, system: server.identity.systemIdentifier)
        let meter = ProgressMeter("wait for WAL", total: Int64(range.segments.count), emit: context.emit)
        let deadline = ContinuousClock.now + .seconds(request.archiveTimeout)
        var pause = Duration.milliseconds(50)
        for file in range.files {
            while true {
                do {
                    _ = try await archive.header(file)
                    break
                } catch let error as FleetError where error.code == .notFound {
                    guard ContinuousClock.now < deadline else { throw missing(file, range) }
                }
                try await claim.refresh()
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
            meter.add(1)
        }
        meter.finish()
    }

    private func missing(_ file: WALFileName, _ range: WALRange) -> FleetError {
        FleetError(
            .timedOut, "the backup \(label) was not published: the WAL segment \(file.text) is not in the archive",
            cause: "the backup needs \(range.files.first?.text ?? "") to \(range.files.last?.text ?? ""), and "
                + "\(file.text) did not come within \(DurationText.text(.seconds(request.archiveTimeout)))",
            hint: request.slot.map {
                "it comes through the replication slot \($0): is the receiver running? "
                    + "fleet wal receive \(instance.keys.instance)"
            }
                ?? "look into the server's log for why archiving fails; archive_command should be: "
                + request.archiveCommand)
    }

    /// What an earlier attempt stored is still there: its writer might have lived after all, and have removed it.
    func checkUnfinished(_ received: ReceivedBackup) async throws {
        let labels = Set(unfinished.map(\.label))
        let used = received.packs.filter { labels.contains($0.label) }
        if let missing = used.firstMissing(from: try await instance.packSizes(beside: used)) {
            throw FleetError(
                .conflict, "the backup \(label) is given up", cause: "the pack \(missing.id) was removed meanwhile",
                hint: "back up again")
        }
    }

    /// From here on the backup is listed.
    func publish(_ document: BackupDocument) async throws -> BackupRecord {
        do {
            try await instance.storage.put(
                instance.keys.document(label), SealedJSON.encode(document), condition: .absent)
            // Of no more use; a claim beside a published backup says nothing.
            try? await instance.storage.delete(instance.keys.claim(label))
            return document.record
        } catch let error as FleetError where error.code == .alreadyExists {
            guard let published = try await instance.document(label), published.key == request.backup.key else {
                throw error
            }
            return published.record
        }
    }
}
