import DurableFiles
import FleetPluginAPI
import Glibc

extension RestoreTarget {
    /// From here on the directory is unfinished: it says so, and no server can start in it.
    func begin() throws {
        try BlockingDisk.makeDirectories(directory, mode: 0o700, owner: owner)
        let marker = RestoreMarker(
            key: request.key, label: label, systemIdentifier: systemIdentifier,
            tablespaces: tablespaces.map(\.target), kept: kept.sorted())
        try BlockingDisk.write(
            JSONText.encode(marker), to: path(RestoreMarker.name), WriteOptions(mode: 0o600, owner: owner))
        try BlockingDisk.remove(path(Self.controlFile))
    }

    /// Removes everything of PostgreSQL's that the backup has not, links that point elsewhere, and all WAL. Returns how
    /// much that was.
    ///
    /// `pg_wal` may be a link to another disk: the link stays and what it leads to is emptied.
    func clean() throws -> Int {
        var removed = 0
        try clean("", directory, &removed)
        for link in tablespaces {
            for name in versionDirectories {
                let place = "\(link.target)/\(name)"
                guard try BlockingDisk.status(place)?.kind == .directory else { continue }
                try clean("\(link.path)/\(name)", place, &removed)
            }
        }
        return removed
    }

    private func clean(_ relative: String, _ place: String, _ removed: inout Int) throws {
        for entry in try BlockingDisk.list(place, followingLinks: true) {
            let path = relative.isEmpty ? entry.name : "\(relative)/\(entry.name)"
            let here = "\(place)/\(entry.name)"
            if relative.isEmpty, entry.name == RestoreMarker.name || entry.name == "lost+found" { continue }
            if relative.isEmpty, kept.contains(entry.name) { continue }
            switch entry.kind {
            case .directory where paths.directories.contains(path) && paths.links[path] == nil:
                try clean(path, here, &removed)
            case .symbolicLink where path == "pg_wal":
                try clean(path, here, &removed)
            case .symbolicLink:
                if let target = paths.links[path], try BlockingDisk.destination(ofLink: here) == target { continue }
                unlink(here)
                removed += 1
            case .file where paths.files.contains(path) && path != Self.tablespaceMap: continue
            case .directory:
                try BlockingDisk.removeTree(here)
                removed += 1
            case .file, .other:
                guard unlink(here) == 0 || errno == ENOENT else {
                    throw FleetError(errno: errno, "cannot remove \(here)")
                }
                removed += 1
            }
        }
    }

    /// Makes every directory and link. Modes are set at the end: a directory that may not be written cannot be filled.
    func makeDirectories() throws {
        for link in tablespaces { try BlockingDisk.makeDirectories(link.target, mode: 0o700, owner: owner) }
        // Tablespace links before what lies behind them.
        for (path, target) in paths.links.sorted(by: { $0.key < $1.key }) where !isKept(path) {
            let here = self.path(path)
            if try BlockingDisk.status(here) != nil { continue }
            try BlockingDisk.makeDirectories(parentPath(of: here), mode: 0o700, owner: owner)
            guard symlink(target, here) == 0 else { throw FleetError(errno: errno, "cannot make the link \(here)") }
            if let owner { try BlockingDisk.setOwner(owner, of: here) }
        }
        for path in paths.directories.sorted() where paths.links[path] == nil && !isKept(path) {
            let here = self.path(path)
            guard mkdir(here, 0o700) != 0, errno != EEXIST else { continue }
            // Of a tablespace that lies in the data directory itself the server sends no directory of its own.
            try BlockingDisk.makeDirectories(here, mode: 0o700, owner: owner)
        }
    }

    /// Gives the files their attributes and makes them durable.
    func finishFiles(_ manifest: Manifest) async throws {
        // One wait for the whole file system; the fsync of each file then has little left to do, and tells of errors.
        try await Workers.run { [directory, tablespaces] in
            for place in [directory] + tablespaces.map(\.target) { try BlockingDisk.syncFileSystem(of: place) }
        }
        let batches = stride(from: 0, to: manifest.files.count, by: 256).map {
            manifest.files[$0..<min($0 + 256, manifest.files.count)]
        }
        _ = try await concurrently(Array(batches), limit: Workers.count) { files in
            for file in files where isRestored(file.path) { try finish(file) }
        }
    }

    func isRestored(_ path: String) -> Bool {
        path != Self.controlFile && path != Self.tablespaceMap && !isKept(path)
    }

    private func finish(_ file: Manifest.File) throws {
        let path = path(file.path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FleetError(errno: errno, "cannot open \(path)") }
        defer { close(descriptor) }
        try setAttributes(of: descriptor, file, path)
        guard fsync(descriptor) == 0 else { throw FleetError(errno: errno, "cannot make \(path) durable") }
    }

    /// `UTIME_OMIT`, a macro that does not import.
    private static let omitted = (1 << 30) - 2

    func setAttributes(of descriptor: Int32, _ file: Manifest.File, _ path: String) throws {
        if file.size == 0, ftruncate(descriptor, 0) != 0 { throw FleetError(errno: errno, "cannot cut \(path)") }
        if let owner, fchown(descriptor, owner.user, owner.group) != 0 {
            throw FleetError(errno: errno, "cannot set the owner of \(path)")
        }
        guard fchmod(descriptor, mode_t(file.mode)) == 0 else {
            throw FleetError(errno: errno, "cannot set the mode of \(path)")
        }
        var times = [timespec(tv_sec: 0, tv_nsec: Self.omitted), timespec(tv_sec: Int(file.modified), tv_nsec: 0)]
        guard futimens(descriptor, &times) == 0 else {
            throw FleetError(errno: errno, "cannot set the time of \(path)")
        }
    }

    /// Leaves the server's own manifest where `pg_basebackup` does, for `pg_verifybackup`.
    func writeServerManifest(_ manifest: Manifest) throws {
        try BlockingDisk.write(
            manifest.serverManifest, to: path("backup_manifest"), WriteOptions(mode: 0o600, owner: owner))
    }

    /// Gives the directories their attributes and makes what is in them durable, the deepest first.
    func finishDirectories(_ manifest: Manifest) throws {
        for directory in manifest.directories.sorted(by: { $0.path > $1.path })
        where paths.links[directory.path] == nil && !isKept(directory.path) {
            let here = path(directory.path)
            if let owner { try follow(here) { chown($0, owner.user, owner.group) } }
            try BlockingDisk.setMode(directory.mode, of: here)
            try BlockingDisk.syncDirectory(here)
        }
        for link in tablespaces { try BlockingDisk.syncDirectory(link.target) }
        if let owner { try BlockingDisk.setOwner(owner, of: directory) }
        try BlockingDisk.syncDirectory(directory)
    }

    private func follow(_ path: String, _ call: (String) -> Int32) throws {
        guard call(path) == 0 else { throw FleetError(errno: errno, "cannot set the owner of \(path)") }
    }

    /// All is whole: the marker goes.
    func end() throws {
        try BlockingDisk.remove(path(RestoreMarker.name))
    }
}
