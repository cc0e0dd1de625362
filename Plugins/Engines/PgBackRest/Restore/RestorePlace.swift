import DurableFiles
import FleetPluginAPI
import Glibc
import PostgresFormats

/// The data directory that a restore writes to. All calls block.
struct RestorePlace: Sendable {
    let request: RestoreRequest
    let directory: String

    init(_ request: RestoreRequest) {
        self.request = request
        var directory = request.dataDirectory
        while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
        self.directory = directory
    }

    private func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Refuses wherever something would be lost that is not this server's: pgBackRest's `--delta` takes any data
    /// directory for its own. Returns whether there is anything.
    ///
    /// - Throws: `refused`, `usage`.
    func prepare(_ log: @Sendable (String) -> Void) throws -> Bool {
        guard directory.hasPrefix("/"), directory.utf8.count > 1 else {
            throw FleetError(.usage, "the data directory \(request.dataDirectory) is not an absolute path")
        }
        try checkTablespaces()
        guard try BlockingDisk.status(directory, followingLinks: true) != nil else {
            try BlockingDisk.makeDirectories(directory, mode: 0o700)
            return false
        }
        let present = try BlockingDisk.list(directory, followingLinks: true).map(\.name).filter { $0 != "lost+found" }
        guard let first = present.first else { return false }
        try checkNoServer()
        if let label = try unfinishedLabel() {
            log("going on with the restore of \(label) that was begun in \(directory)")
            return true
        }
        guard try request.mode == .delta || isRestoredAndUnused() else {
            throw FleetError(
                .refused, "the data directory \(directory) is not empty", cause: "it holds \(first)",
                hint: "restore to an empty directory, or over the instance's own data in delta mode")
        }
        try checkIdentity()
        return true
    }

    private func checkTablespaces() throws {
        var seen: Set<String> = []
        for tablespace in request.backup.tablespaces {
            let target = request.tablespaces[tablespace.path] ?? tablespace.path
            guard target.hasPrefix("/"), seen.insert(target).inserted else {
                throw FleetError(.usage, "\(target) cannot be the place of a tablespace, or of two")
            }
            guard target != directory, !target.hasPrefix(directory + "/") else {
                throw FleetError(
                    .usage, "the tablespace location \(target) lies in the data directory \(directory)")
            }
        }
        for unused in request.tablespaces.keys.sorted()
        where !request.backup.tablespaces.contains(where: { $0.path == unused }) {
            throw FleetError(.usage, "the backup \(request.backup.label) has no tablespace in \(unused)")
        }
    }

    /// The backup whose restore was begun here and has not ended: pgBackRest leaves its manifest until all is there,
    /// and writes `pg_control` last.
    ///
    /// - Throws: `refused` when it is of another server.
    private func unfinishedLabel() throws -> String? {
        guard let manifest = try BlockingDisk.readIfPresent(path("backup.manifest"), limit: 1 << 30),
            try BlockingDisk.status(path(Self.controlFile)) == nil
        else { return nil }
        let settings = OwnConfiguration.sections(manifest.prefix(65_536))
        guard let label = settings["backup"]?["backup-label"], let system = settings["backup:db"]?["db-system-id"]
        else { return nil }
        guard SystemIdentifier(system) == request.backup.systemIdentifier else {
            throw FleetError(
                .refused, "\(directory) holds an unfinished restore of another server",
                cause: "its system identifier is \(system), the backup's is \(request.backup.systemIdentifier)")
        }
        return label.filter { $0 != "\"" }
    }

    /// This very backup lies here and no server has been started in it: the first start takes `backup_label` away.
    private func isRestoredAndUnused() throws -> Bool {
        guard let bytes = try BlockingDisk.readIfPresent(path("backup_label"), limit: 65_536),
            let label = try? BackupLabel(bytes)
        else { return false }
        return label.startLSN == request.backup.startLSN
    }

    static let controlFile = "global/pg_control"

    private func checkIdentity() throws {
        guard let bytes = try BlockingDisk.readIfPresent(path(Self.controlFile), limit: 65_536) else {
            throw FleetError(
                .refused, "nothing says which server \(directory) belongs to", cause: "it has no \(Self.controlFile)",
                hint: "restore to an empty directory")
        }
        let found = try ControlFile(bytes).systemIdentifier
        guard found == request.backup.systemIdentifier else {
            throw FleetError(
                .refused, "\(directory) belongs to another server",
                cause: "its system identifier is \(found), the backup's is \(request.backup.systemIdentifier)",
                hint: "restore to an empty directory")
        }
    }

    /// pgBackRest refuses where there is a `postmaster.pid`; what a crashed server left is taken away here, once it is
    /// certain that no process of its lives.
    private func checkNoServer() throws {
        guard let bytes = try BlockingDisk.readIfPresent(path("postmaster.pid"), limit: 65_536) else { return }
        guard let pid = PostmasterPID(bytes)?.pid else {
            throw FleetError(
                .refused, "\(path("postmaster.pid")) cannot be read: a server may be running there",
                hint: "stop the server; remove the file only when none runs")
        }
        guard !isServer(pid) else {
            throw FleetError(
                .refused, "a server runs in \(directory)", cause: "its process is \(pid)",
                hint: "stop it before restoring")
        }
        try BlockingDisk.remove(path("postmaster.pid"))
    }

    /// Whether a process may be the server of this data directory, which is its working directory.
    private func isServer(_ pid: pid_t) -> Bool {
        guard kill(pid, 0) == 0 || errno == EPERM, pid != getpid(), pid != getppid() else { return false }
        guard let working = try? BlockingDisk.destination(ofLink: "/proc/\(pid)/cwd") else { return true }
        guard let here = realpath(directory, nil) else { return true }
        defer { free(here) }
        return working == String(cString: here)
    }

    /// Tells PostgreSQL how to recover.
    func write(_ configuration: RecoveryConfiguration) throws {
        let file = path("postgresql.auto.conf")
        let options = WriteOptions(mode: try BlockingDisk.status(file)?.mode ?? 0o600)
        try BlockingDisk.write(
            configuration.applied(to: try BlockingDisk.readIfPresent(file) ?? []), to: file, options)
        try BlockingDisk.remove(path(configuration.signalFiles.absent))
        try BlockingDisk.write([], to: path(configuration.signalFiles.present), options)
    }
}
