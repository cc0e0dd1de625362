import FleetPluginAPI
import PostgresClient
import PostgresFormats

/// Sees that the repository has the history file of the timeline that is backed up. A server archives it once, when the
/// timeline begins: a repository that is younger never gets it, and could not follow the timeline.
struct HistoryKeeper: Sendable {
    let instance: InstanceRepository
    let system: SystemIdentifier

    func keep(_ timeline: TimelineID, from connection: ReplicationConnection) async throws {
        guard timeline > 1 else { return }
        let archive = ArchiveReader(instance: instance, system: system)
        guard try await archive.history(timeline) == nil else { return }
        let (text, content) = try await connection.timelineHistory(timeline, deadline: .now + .seconds(30))
        guard let name = WALFileName(text), name.kind == .history, name.timeline == timeline else {
            throw FleetError(
                .protocolViolation, "the server sent a history file that is not timeline \(timeline)'s: \(text)")
        }
        let header = WALObjectHeader(
            name: name.text, kind: name.kind, systemIdentifier: system, size: Int64(content.count),
            sha256: ContentHash(of: content), segmentSize: nil, archivedAt: .now, summary: nil)
        let object = try WALObject.encode(header, content, level: 1)
        do {
            try await instance.storage.put(instance.keys.wal(name, system), object, condition: .absent)
        } catch let error as FleetError where error.code == .alreadyExists {
            // Archived meanwhile.
        }
    }
}
