import FleetPluginAPI
import PostgresFormats

/// What of an older backup can be taken over without looking at its content.
///
/// Safe only where the server's history leads from that backup to now without a turn: a server that was set back writes
/// other pages under positions that were there before.
struct BaseTrust: Sendable {
    /// Every page that was changed since the base began has a later position: the base's checkpoint has written out
    /// what was changed before, and the first change of a page after it is in WAL (PostgreSQL manual, section 30.5).
    let changedFrom: LSN
    /// Files that were last written before are as they were; nil where the base does not say when it began.
    let unchangedBefore: Timestamp?

    /// A file's time is a time of its file system's clock, and of whole seconds in the base.
    private static let margin = Duration.seconds(60)

    /// Nil when nothing can be taken over unseen.
    ///
    /// - Parameters:
    ///   - control: the server's now.
    ///   - baseControl: the one in the base.
    init?(_ base: BackupBase, control: ControlFile, baseControl: ControlFile, timeline: TimelineID) {
        // Switching checksums on writes every page and changes no position.
        guard base.record.timeline == timeline, baseControl.dataChecksumVersion == control.dataChecksumVersion,
            baseControl.systemIdentifier == control.systemIdentifier,
            baseControl.catalogVersion == control.catalogVersion, control.blockSize == DataPage.size
        else { return nil }
        changedFrom = base.record.startLSN
        unchangedBefore = base.manifest.backupLabel.flatMap { try? BackupLabel($0) }?.startTime.map {
            $0 - Self.margin
        }
    }

    /// Whether a file is what the base has: the same size and time, and not written since long before the base began.
    func isUnchanged(_ file: DataDirectoryScan.File, _ base: Manifest.File) -> Bool {
        guard file.relation != nil, let unchangedBefore else { return false }
        return file.size == base.size && file.modified == base.modified && file.modified < unchangedBefore.wholeSeconds
    }

    /// Whether all pages of a stretch were last changed before the base began. What has no position to go by, such as
    /// a new page or a map, may have changed.
    func isUnchanged(_ bytes: UnsafeRawBufferPointer, of relation: RelationFile?) -> Bool {
        guard let relation, relation.fork == .main, bytes.count.isMultiple(of: DataPage.size) else { return false }
        for start in stride(from: 0, to: bytes.count, by: DataPage.size) {
            let page = DataPage(UnsafeRawBufferPointer(rebasing: bytes[start..<start + DataPage.size]))
            guard page.isFamiliar, page.lsn > .zero, page.lsn < changedFrom else { return false }
        }
        return true
    }
}
