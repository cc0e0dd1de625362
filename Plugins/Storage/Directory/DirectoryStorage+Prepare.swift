import DurableFiles
import FleetPluginAPI
import Glibc

extension DirectoryStorage {
    /// Makes the directory where it is missing, marks it as a repository's, and removes what writers that died left
    /// more than a day ago.
    public func prepare() async throws {
        let owner = try await owner()
        try await perform("prepare \(root)") {
            if try BlockingDisk.status(root, followingLinks: true) == nil {
                try BlockingDisk.makeDirectories(parent(of: root), mode: 0o755)
                try BlockingDisk.makeDirectories(root, mode: 0o750, owner: owner)
            }
            if try BlockingDisk.status(path(Self.marker)) == nil {
                if let owner, try BlockingDisk.list(root, followingLinks: true).isEmpty {
                    try BlockingDisk.setOwner(owner, of: root)
                }
                let text = "fleet keeps a repository in this directory. Without this file it takes it for missing.\n"
                do {
                    try BlockingDisk.write(
                        Array(text.utf8), to: path(Self.marker), placementUnchecked(replacing: false))
                } catch let error as FleetError where error.code == .alreadyExists {
                    // Somebody else prepared it just now.
                }
            }
            try removeLeftovers(in: root, before: .now - .seconds(86_400))
        }
    }

    /// The repository is there and is the one that was prepared.
    func checkRoot() throws {
        do {
            if try BlockingDisk.status(path(Self.marker)) != nil { return }
        } catch let error as FleetError where error.code != .denied {
            throw FleetError(.unavailable, "the directory \(root) cannot be read", cause: error.cause, hint: error.hint)
        }
        guard try BlockingDisk.status(root, followingLinks: true) != nil else {
            throw FleetError(
                .unavailable, "the directory \(root) is missing",
                hint: "mount the file system it is on; a new repository is made by its first full backup")
        }
        throw FleetError(
            .unavailable, "the directory \(root) is not a repository", cause: "\(Self.marker) is missing in it",
            hint: "mount the file system it is on; a new repository is made by its first full backup")
    }

    /// How files are written here: root gives everything to whom the directory belongs to, so that an archiver that
    /// runs as another user can go on writing beside it. Modes follow the directory's.
    func placement(replacing: Bool) throws -> WriteOptions {
        try checkRoot()
        return try placementUnchecked(replacing: replacing)
    }

    private func placementUnchecked(replacing: Bool) throws -> WriteOptions {
        guard let status = try BlockingDisk.status(root, followingLinks: true) else {
            throw FleetError(.unavailable, "the directory \(root) is missing", hint: "mount the file system it is on")
        }
        return WriteOptions(
            replaces: replacing, mode: status.mode & 0o666, owner: geteuid() == 0 ? status.owner : nil,
            directoryMode: status.mode & 0o7777)
    }

    private func removeLeftovers(in directory: String, before: Timestamp) throws {
        for entry in try BlockingDisk.list(directory, followingLinks: directory == root) {
            let path = "\(directory)/\(entry.name)"
            switch entry.kind {
            case .directory: try removeLeftovers(in: path, before: before)
            case .file where TemporaryName.matches(entry.name):
                if let status = try BlockingDisk.status(path), status.modified < before {
                    try BlockingDisk.remove(path)
                }
            default: break
            }
        }
    }

    private func owner() async throws -> FileOwner? {
        guard let ownerName, geteuid() == 0 else { return nil }
        return try await disk.run {
            // A user database on the network may take its time: a disk thread may.
            var buffer = [CChar](repeating: 0, count: 1 << 16)
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = getpwnam_r(ownerName, &entry, &buffer, buffer.count, &found)
            guard code == 0, found != nil else {
                throw FleetError(
                    .configuration, "repository \(name): there is no user \(ownerName)",
                    hint: "set owner to a user of this host, or leave it out")
            }
            return FileOwner(user: entry.pw_uid, group: entry.pw_gid)
        }
    }

    private func parent(of path: String) -> String {
        let components = path.split(separator: "/").dropLast()
        return "/" + components.joined(separator: "/")
    }
}
