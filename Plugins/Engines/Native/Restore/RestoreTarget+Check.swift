import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import Glibc
import PostgresFormats

extension RestoreTarget {
    /// Refuses wherever something would be lost that is not this instance's. Changes nothing.
    ///
    /// - Throws: `refused`, `denied`.
    func check(_ log: @Sendable (String) -> Void) throws {
        try checkNoServer()
        let present = try contents(of: directory)
        let marker = try RestoreMarker.read(in: directory)
        if let marker {
            guard marker.systemIdentifier == systemIdentifier else {
                throw FleetError(
                    .refused, "\(directory) holds an unfinished restore of another server",
                    cause: "its system identifier is \(marker.systemIdentifier), the backup's is \(systemIdentifier)")
            }
            log("going on with the restore of \(marker.label) that was begun in \(directory)")
        } else if !present.isEmpty {
            guard request.mode == .delta else {
                throw FleetError(
                    .refused, "the data directory \(directory) is not empty", cause: "it holds \(present[0])",
                    hint: "restore to an empty directory, or over the instance's own data in delta mode")
            }
            try checkIdentity()
        }
        for link in tablespaces { try check(link, marker) }
    }

    private func checkIdentity() throws {
        guard let version = try BlockingDisk.readIfPresent(path("PG_VERSION"), limit: 64), !version.isEmpty else {
            throw FleetError(
                .refused, "\(directory) is not a PostgreSQL data directory", cause: "it has no PG_VERSION",
                hint: "restore to an empty directory")
        }
        guard let bytes = try BlockingDisk.readIfPresent(path(Self.controlFile), limit: 65_536) else {
            throw FleetError(
                .refused, "nothing says which server \(directory) belongs to", cause: "it has no \(Self.controlFile)",
                hint: "restore to an empty directory")
        }
        let found = try ControlFile(bytes).systemIdentifier
        guard found == systemIdentifier else {
            throw FleetError(
                .refused, "\(directory) belongs to another server",
                cause: "its system identifier is \(found), the backup's is \(systemIdentifier)",
                hint: "restore to an empty directory")
        }
    }

    /// A tablespace directory must be this instance's already, or hold nothing where the instance's files go.
    private func check(_ link: Manifest.Link, _ marker: RestoreMarker?) throws {
        if marker?.tablespaces.contains(link.target) == true { return }
        if request.mode == .delta, let status = try BlockingDisk.status(path(link.path)),
            status.kind == .symbolicLink, try BlockingDisk.destination(ofLink: path(link.path)) == link.target
        {
            return
        }
        for name in versionDirectories.sorted() where try !contents(of: "\(link.target)/\(name)").isEmpty {
            throw FleetError(
                .refused, "the tablespace location \(link.target) is in use", cause: "\(name) in it is not empty",
                hint: "name another place for this tablespace, or empty it")
        }
    }

    /// What is in a directory, without what every file system or an interrupted restore may leave there.
    private func contents(of path: String) throws -> [String] {
        guard try BlockingDisk.status(path, followingLinks: true) != nil else { return [] }
        return try BlockingDisk.list(path, followingLinks: true).map(\.name)
            .filter { $0 != "lost+found" && !TemporaryName.matches($0) }
    }

    /// PostgreSQL source: `CreateLockFile` and `PGSharedMemoryIsInUse`. A dead postmaster may leave backends that
    /// still write: they hold its shared memory.
    private func checkNoServer() throws {
        guard let bytes = try BlockingDisk.readIfPresent(path("postmaster.pid"), limit: 65_536) else { return }
        guard let pid = PostmasterPID(bytes)?.pid else {
            throw FleetError(
                .refused, "\(path("postmaster.pid")) cannot be read: a server may be running there",
                hint: "stop the server; remove the file only when none runs")
        }
        if isServer(pid) {
            throw FleetError(
                .refused, "a server runs in \(directory)", cause: "its process is \(pid)",
                hint: "stop it before restoring")
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let memory = lines.dropFirst(6).first?.split(separator: " ").compactMap { UInt64($0) } ?? []
        if memory.count == 2, sharedMemoryUsers(key: memory[0], id: memory[1]) > 0 {
            throw FleetError(
                .refused, "processes of a dead server still use \(directory)",
                cause: "its shared memory segment \(memory[1]) has users", hint: "end them before restoring")
        }
    }

    /// Whether a process may be the server of this data directory, whose working directory it has.
    private func isServer(_ pid: pid_t) -> Bool {
        guard kill(pid, 0) == 0 || errno == EPERM, pid != getpid(), pid != getppid() else { return false }
        guard let working = try? BlockingDisk.destination(ofLink: "/proc/\(pid)/cwd") else { return true }
        guard let here = realpath(directory, nil) else { return true }
        defer { free(here) }
        return working == String(cString: here)
    }

    private func sharedMemoryUsers(key: UInt64, id: UInt64) -> Int {
        guard let bytes = try? BlockingDisk.readUnsized("/proc/sysvipc/shm") else { return 0 }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst() {
            // key shmid perms size cpid lpid nattch …
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count > 6,
                Int64(fields[0]).map({ UInt32(truncatingIfNeeded: $0) }) == UInt32(truncatingIfNeeded: key),
                UInt64(fields[1]) == id
            else { continue }
            return Int(fields[6]) ?? 0
        }
        return 0
    }
}
