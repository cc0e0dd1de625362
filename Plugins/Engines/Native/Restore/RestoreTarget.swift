import DurableFiles
import FleetPluginAPI
import Glibc

/// The places a restore writes to: the data directory and the tablespaces. All calls block.
struct RestoreTarget: Sendable {
    let directory: String
    let label: String
    let request: RestoreRequest
    let systemIdentifier: SystemIdentifier
    /// Whom everything is to belong to; nil when the running user owns what it makes.
    let owner: FileOwner?
    /// Links in `pg_tblspc`, with where they are to point.
    let tablespaces: [Manifest.Link]
    /// Names below each tablespace's directory that are the instance's: `PG_15_202209061`.
    let versionDirectories: Set<String>
    /// Everything that belongs to the backup.
    let paths: Paths
    /// Names in the data directory that a restore over it leaves as they are: configuration, keys, logs, whatever
    /// people keep there. Such a restore brings data back and takes no setting that was made since away.
    let kept: Set<String>

    struct Paths: Sendable {
        var directories: Set<String>
        var files: Set<String>
        /// Paths of links to their targets.
        var links: [String: String]
    }

    static let controlFile = "global/pg_control"
    /// Belongs to tablespaces as they were; the links made here take its place.
    static let tablespaceMap = "tablespace_map"

    init(_ manifest: Manifest, _ request: RestoreRequest) throws {
        guard request.dataDirectory.hasPrefix("/"), request.dataDirectory.utf8.count > 1 else {
            throw FleetError(.usage, "the data directory \(request.dataDirectory) is not an absolute path")
        }
        var directory = request.dataDirectory
        while directory.hasSuffix("/") { directory.removeLast() }
        self.directory = directory
        self.request = request
        label = manifest.header.label
        systemIdentifier = manifest.header.systemIdentifier
        owner = try Self.owner(of: directory)
        var links = manifest.links.map { link in
            var link = link
            if link.tablespace != nil { link.target = request.tablespaces[link.target] ?? link.target }
            return link
        }
        for unused in request.tablespaces.keys.sorted()
        where !manifest.links.contains(where: { $0.tablespace != nil && $0.target == unused }) {
            throw FleetError(.usage, "the backup \(manifest.header.label) has no tablespace in \(unused)")
        }
        links.sort { $0.path < $1.path }
        tablespaces = links.filter { $0.tablespace != nil }
        let prefixes = Set(tablespaces.map { $0.path + "/" })
        versionDirectories = Set(
            manifest.directories.map(\.path).filter { path in
                prefixes.contains { path.hasPrefix($0) && !path.dropFirst($0.count).contains("/") }
            }.compactMap { $0.split(separator: "/").last.map(String.init) })
        paths = Paths(
            directories: Set(manifest.directories.map(\.path)), files: Set(manifest.files.map(\.path)),
            links: Dictionary(links.map { ($0.path, $0.target) }, uniquingKeysWith: { $1 }))
        kept = try Self.kept(in: directory, request.mode)
        try checkLocations()
    }

    func path(_ relative: String) -> String { "\(directory)/\(relative)" }

    /// As root everything is given to whoever owns the data directory, or the directory that it will lie in.
    private static func owner(of directory: String) throws -> FileOwner? {
        guard geteuid() == 0 else { return nil }
        var path = directory
        while true {
            if let status = try BlockingDisk.status(path, followingLinks: true) { return status.owner }
            path = parentPath(of: path)
        }
    }

    /// What PostgreSQL keeps its data and its state in (PostgreSQL 18, 66.1 "Database File Layout").
    static let ownNames: Set<String> = [
        "PG_VERSION", "base", "current_logfiles", "global", "pg_clog", "pg_commit_ts", "pg_dynshmem", "pg_logical",
        "pg_multixact", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp",
        "pg_subtrans", "pg_summaries", "pg_tblspc", "pg_twophase", "pg_wal", "pg_xact", "backup_label",
        "backup_label.old", "backup_manifest", "backup_manifest.tmp", "tablespace_map", "tablespace_map.old",
        "postmaster.opts", "postmaster.pid", "recovery.done", "recovery.signal", "standby.signal", RestoreMarker.name,
        "lost+found",
    ]

    /// An interrupted restore goes on with what it found at first: what is there now may be half restored.
    private static func kept(in directory: String, _ mode: RestoreRequest.Mode) throws -> Set<String> {
        if let marker = try RestoreMarker.read(in: directory) { return Set(marker.kept ?? []) }
        guard mode == .delta, try BlockingDisk.status(directory, followingLinks: true) != nil else { return [] }
        let names = try BlockingDisk.list(directory, followingLinks: true).map(\.name)
        return Set(names.filter { !ownNames.contains($0) && !TemporaryName.matches($0) })
    }

    /// Whether a path in the data directory is left as it is.
    func isKept(_ path: String) -> Bool {
        kept.contains(String(path.prefix { $0 != "/" }))
    }

    /// Two tablespaces must not end up in one directory, nor one in the data directory.
    private func checkLocations() throws {
        var seen: Set<String> = []
        for link in tablespaces {
            guard link.target.hasPrefix("/") else {
                throw FleetError(.usage, "the tablespace location \(link.target) is not an absolute path")
            }
            guard seen.insert(link.target).inserted else {
                throw FleetError(.usage, "two tablespaces are to be restored to \(link.target)")
            }
            guard link.target != directory, !link.target.hasPrefix(directory + "/") else {
                throw FleetError(
                    .usage, "the tablespace location \(link.target) lies in the data directory \(directory)")
            }
        }
    }
}
