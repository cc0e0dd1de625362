public import FleetPluginAPI

/// What a base backup consists of, in the order in which the server sends it.
public enum BaseBackupEvent: Hashable, Sendable {
    /// The checkpoint is done; replay will begin here.
    case started(lsn: LSN, timeline: TimelineID)
    case tablespaces([BaseBackupTablespace])
    /// A tar archive begins: `base.tar`, or `<oid>.tar` with the tablespace's directory.
    case archive(name: String, tablespacePath: String?)
    /// The next bytes of the archive or manifest that began last.
    case data([UInt8])
    /// The backup manifest begins.
    case manifest
    /// Bytes of the data directory sent so far (servers from 15 on).
    case progress(Int64)
    /// The server has ended the backup without an error: only now is it one.
    case finished(lsn: LSN, timeline: TimelineID)
}

/// A row of the list that precedes the archives.
public struct BaseBackupTablespace: Hashable, Sendable {
    /// Nil for the data directory itself.
    public var oid: UInt32?
    public var path: String?
    /// Estimate; nil when progress was not asked for.
    public var sizeKiB: Int64?

    public init(oid: UInt32?, path: String?, sizeKiB: Int64?) {
        self.oid = oid
        self.path = path
        self.sizeKiB = sizeKiB
    }

    /// The name that servers from 15 on give to its archive.
    var archiveName: String { oid.map { "\($0).tar" } ?? "base.tar" }
}
