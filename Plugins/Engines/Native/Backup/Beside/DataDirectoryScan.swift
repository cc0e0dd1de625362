import DurableFiles
import FleetPluginAPI
import Glibc
import PostgresFormats

/// What of a running server's data directory belongs into a backup: the same that the server itself would send.
///
/// PostgreSQL source: `excludeDirContents`, `excludeFiles` and `sendDir` in `src/backend/backup/basebackup.c`.
struct DataDirectoryScan: Sendable {
    /// Absolute.
    let root: String
    /// When the scan began.
    let control: ControlFile
    private(set) var directories: [Manifest.Directory] = []
    private(set) var links: [Manifest.Link] = []
    private(set) var files: [File] = []
    private(set) var tablespaces: [BackupRecord.Tablespace] = []
    /// What was passed over that somebody might miss.
    private(set) var remarks: [String] = []

    struct File: Sendable {
        /// Relative to the data directory.
        var path: String
        /// Bytes when it was listed; it is backed up with so many.
        var size: Int64
        var mode: UInt32
        /// Seconds since 1970.
        var modified: Int64
        /// Nil for what holds no pages.
        var relation: RelationFile?
    }

    /// Directories that stay and whose content does not.
    private static let emptied: Set<String> = [
        "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans",
    ]
    /// What stands in `pg_wal` of a backup: directories that the server expects.
    private static let walDirectories = ["archive_status", "summaries"]
    private static let excluded: Set<String> = [
        "postgresql.auto.conf.tmp", "current_logfiles.tmp", "backup_label", "tablespace_map", "backup_manifest",
        "postmaster.pid", "postmaster.opts", ".DS_Store",
    ]
    private static let excludedPrefixes = ["pg_internal.init", "pgsql_tmp"]

    /// Lists a data directory and its tablespaces. Blocks.
    init(of root: String) throws {
        self.root = root
        control = try ControlFileReader.read("\(root)/\(RestoreTarget.controlFile)")
        try scan("")
    }

    var size: Int64 { files.reduce(0) { $0 + $1.size } }

    func place(of path: String) -> String { "\(root)/\(path)" }

    private mutating func scan(_ directory: String) throws {
        let prefix = directory.isEmpty ? "" : "\(directory)/"
        let entries = try list(directory)
        let unlogged = Set(
            entries.compactMap { RelationFile(path: prefix + $0.name) }.filter { $0.fork == .initial }.map(\.relation))
        for entry in entries where !Self.isExcluded(entry.name) {
            let path = prefix + entry.name
            let relation = RelationFile(path: path)
            if let relation, relation.isTemporary { continue }
            if let relation, relation.fork != .initial, unlogged.contains(relation.relation) { continue }
            // Gone again: a table that was dropped.
            guard let status = try BlockingDisk.status(place(of: path)) else { continue }
            try take(path, status, relation)
        }
    }

    private mutating func take(_ path: String, _ status: FileStatus, _ relation: RelationFile?) throws {
        switch status.kind {
        case .directory: try takeDirectory(path, status)
        case .file:
            files.append(
                File(
                    path: path, size: status.size, mode: status.mode, modified: status.modified.wholeSeconds,
                    relation: relation))
        case .symbolicLink where path == "pg_wal":
            // The backup has a directory in its place.
            if let target = try BlockingDisk.status(place(of: path), followingLinks: true) {
                try takeDirectory(path, target)
            }
        case .symbolicLink where path.hasPrefix("pg_tblspc/"): try takeTablespace(path)
        case .symbolicLink, .other: remarks.append("\(path) is neither a file nor a directory and is not backed up")
        }
    }

    private mutating func takeDirectory(_ path: String, _ status: FileStatus) throws {
        directories.append(.init(path: path, mode: status.mode, modified: status.modified.wholeSeconds))
        if Self.emptied.contains(path) { return }
        guard path == "pg_wal" else { return try scan(path) }
        for name in Self.walDirectories {
            let path = "pg_wal/\(name)"
            if let status = try BlockingDisk.status(place(of: path)), status.kind == .directory {
                directories.append(.init(path: path, mode: status.mode, modified: status.modified.wholeSeconds))
            }
        }
    }

    private mutating func takeTablespace(_ path: String) throws {
        let target = try BlockingDisk.destination(ofLink: place(of: path))
        guard let oid = UInt32(path.dropFirst("pg_tblspc/".count)), target.hasPrefix("/") else {
            remarks.append("\(path) is no tablespace and is not backed up")
            return
        }
        // Several servers may have directories in one location; a name ends with the version of the catalog.
        for entry in try list(path) where entry.name.hasPrefix("PG_") && entry.name.contains("_") {
            guard entry.name.split(separator: "_").last.flatMap({ Int($0) }) == control.catalogVersion else { continue }
            let inside = "\(path)/\(entry.name)"
            guard let status = try BlockingDisk.status(place(of: inside)), status.kind == .directory else { continue }
            links.append(.init(path: path, target: target, tablespace: oid))
            tablespaces.append(.init(oid: oid, path: target))
            return try takeDirectory(inside, status)
        }
        // Dropped meanwhile.
        if try BlockingDisk.status(place(of: path)) == nil { return }
        throw FleetError(
            .refused, "the tablespace in \(target) cannot be seen from where the files are read",
            cause: "there is no directory of this server's version in it",
            hint: "let it be seen there under the same path, or let the engine read: stream")
    }

    private func list(_ directory: String) throws -> [DirectoryEntry] {
        do {
            return try BlockingDisk.list(directory.isEmpty ? root : place(of: directory), followingLinks: true)
        } catch let error as FleetError where error.code == .notFound && !directory.isEmpty {
            // A database that was dropped.
            return []
        }
    }

    private static func isExcluded(_ name: String) -> Bool {
        excluded.contains(name) || excludedPrefixes.contains { name.hasPrefix($0) }
    }
}

extension Timestamp {
    /// Seconds since 1970, as tar has them.
    var wholeSeconds: Int64 { microseconds / 1_000_000 }
}

/// `global/pg_control` of a running server, which may be written while it is read.
enum ControlFileReader {
    /// Blocks.
    ///
    /// - Throws: `corrupted` when it does not become whole.
    static func read(_ path: String) throws -> ControlFile {
        try ControlFile(wholeBytes(path))
    }

    /// Blocks.
    static func wholeBytes(_ path: String) throws -> [UInt8] {
        for _ in 0..<10 {
            let bytes = try BlockingDisk.read(path, limit: 1 << 20)
            if (try? ControlFile(bytes)) != nil { return bytes }
            usleep(5000)
        }
        return try BlockingDisk.read(path, limit: 1 << 20)
    }
}
