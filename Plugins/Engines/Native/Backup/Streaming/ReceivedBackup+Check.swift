import FleetPluginAPI
import PostgresClient
import PostgresFormats

extension ReceivedBackup {
    /// Compares what came in with what the server says it sent, file by file.
    ///
    /// - Throws: `corrupted` that names the first file that differs; `refused` when a standby was backed up.
    func check(_ server: ServerFacts) throws {
        let manifest = try BackupManifest(serverManifest)
        if let identifier = manifest.systemIdentifier, identifier != server.identity.systemIdentifier {
            throw difference("the manifest is of the system \(identifier)")
        }
        guard let backupLabel else { throw difference("there is no backup_label") }
        let label = try BackupLabel(backupLabel)
        guard label.startLSN == startLSN, label.timeline == timeline else {
            throw difference("backup_label begins at \(label.startLSN) on timeline \(label.timeline)")
        }
        if label.source == "standby" {
            throw FleetError(.refused, "the server is a standby", hint: "back up the primary")
        }
        var expected = Dictionary(manifest.files.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
        for file in files {
            let sent = sent[file.path] ?? Sent(path: file.path, size: file.size, crc32c: file.crc32c)
            guard let entry = expected.removeValue(forKey: sent.path) else {
                throw difference("the manifest does not have \(sent.path)")
            }
            guard entry.size == UInt64(sent.size) else {
                throw difference("\(sent.path) has \(sent.size) bytes instead of \(entry.size)")
            }
            guard entry.checksum == .init(crc32c: sent.crc32c) else {
                throw difference("the checksum of \(sent.path) is not the manifest's")
            }
        }
        if let missing = expected.keys.min() { throw difference("\(missing) was not sent") }
        guard files.contains(where: { $0.path == RestoreTarget.controlFile }) else {
            throw difference("there is no \(RestoreTarget.controlFile)")
        }
    }

    private func difference(_ cause: String) -> FleetError {
        FleetError(.corrupted, "what was received is not what the server's backup manifest says", cause: cause)
    }
}
