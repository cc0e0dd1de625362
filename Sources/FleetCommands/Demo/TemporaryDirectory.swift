import DurableFiles
import FleetPluginAPI
import ProcessRunner

/// Directories for a user that may not reach the one where fleet was started, such as root's home.
enum TemporaryDirectory {
    /// Makes `directory` usable by its owner-to-be: itself where that user can reach it, else a link to a new
    /// directory in /var/tmp. Returns where it really is.
    static func reachable(_ directory: String, by user: UserAccount, isRoot: Bool) async throws -> String {
        if let status = try BlockingDisk.status(directory), status.kind == .symbolicLink {
            return try BlockingDisk.destination(ofLink: directory)
        }
        let owner = FileOwner(user: user.userID, group: user.groupID)
        try BlockingDisk.makeDirectories(directory.parentPath, mode: 0o755)
        guard isRoot, try !(await canReach(directory.parentPath, user)) else {
            try BlockingDisk.makeDirectories(directory, owner: owner)
            return directory
        }
        let place = "/var/tmp/fleet-demo-\(tag(of: directory))"
        try BlockingDisk.makeDirectories(place, owner: owner)
        try BlockingDisk.makeLink(directory, to: place)
        return place
    }

    /// Eight hexadecimal digits that stand for a path.
    static func tag(of path: String) -> String {
        let hash = path.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return String(hash, radix: 16)
    }

    private static func canReach(_ directory: String, _ user: UserAccount) async throws -> Bool {
        let test = Command(["/usr/bin/test", "-x", directory], user: user)
        return try await test.run().status.isSuccess
    }
}
